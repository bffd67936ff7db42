import type { RecordedEvent } from '#libs/kernel';
import type { RunEvent } from '#libs/run';
import { insert, type Change, type Recorded } from '../change.ts';

const STREAM = 'run-';

export const projectCharges = (recorded: RecordedEvent): readonly Change[] => {
  if (!recorded.stream.startsWith(STREAM)) return [];
  const event = recorded as Recorded<RunEvent>;
  if (event.type !== 'BudgetCharged') return [];
  const { data, metadata } = event;
  return [
    insert('charges', {
      position: event.position,
      chargeId: event.id,
      runId: event.stream.slice(STREAM.length),
      chargedAt: metadata.time,
      actorRole: metadata.actor.role,
      actorId: metadata.actor.id,
      charge: data.charge,
      cost: data.cost,
      remaining: data.remaining,
      description: data.description,
      paysFor: data.paysFor,
    }),
  ];
};
