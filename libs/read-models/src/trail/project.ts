import type { PrivateText, RecordedEvent } from '#libs/kernel';
import { insert, type Change } from '../change.ts';
import { factsOf, type Facts } from './facts.ts';

/** Every event of a known type, with the names that it makes and uses. */
export const projectTrail = (event: RecordedEvent): readonly Change[] => {
  const facts = factsOf(event);
  if (facts === null) return [];
  const { position, id, stream, revision, type, hash } = event;
  const { time, actor, correlationId, causationId } = event.metadata;
  const { makes = [], uses = [] } = facts;
  return [
    insert('trail', {
      position,
      eventId: id,
      stream,
      revision,
      place: `${stream}@${revision}`,
      type,
      at: time,
      actorRole: actor.role,
      actorId: actor.id,
      correlationId,
      causationId,
      hash,
      studyId: facts.studyId ?? null,
      runId: facts.runId ?? null,
      findingId: facts.findingId ?? null,
      what: facts.what,
      change: facts.change?.[0] ?? null,
      access: facts.access?.[0] ?? null,
      incident: facts.incident?.[0] ?? null,
      detail: detailOf(facts),
      linked: uses.length > 0 ? 1 : 0,
    }),
    ...[...makes.map(linkOf('makes')), ...uses.map(linkOf('uses'))].map(({ role, name }, nth) =>
      insert('trailLinks', { linkId: `${position}.${nth}`, position, eventId: id, role, name }),
    ),
  ];
};

const linkOf =
  (role: 'makes' | 'uses') =>
  (name: string): { readonly role: 'makes' | 'uses'; readonly name: string } => ({ role, name });

/** What a row's detail holds, by list. */
export interface Detail {
  readonly change?: NonNullable<Facts['change']>[1];
  readonly access?: NonNullable<Facts['access']>[1];
  readonly incident?: NonNullable<Facts['incident']>[1];
  readonly readings?: unknown;
  readonly said?: unknown;
  readonly note?: PrivateText;
}

const detailOf = ({ change, access, incident, readings, said, note }: Facts): string | null => {
  const detail: Detail = {
    ...(change !== undefined && { change: change[1] }),
    ...(access !== undefined && { access: access[1] }),
    ...(incident !== undefined && { incident: incident[1] }),
    ...(readings !== undefined && { readings }),
    ...(said !== undefined && { said }),
    ...(note !== undefined && { note }),
  };
  return Object.keys(detail).length === 0 ? null : JSON.stringify(detail);
};
