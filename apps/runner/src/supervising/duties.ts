import type { FindingEvent } from '#libs/findings';
import type { RecordedEvent } from '#libs/kernel';
import type { RunEvent } from '#libs/run';
import type { StudyEvent } from '#libs/studies';
import { studyOf } from '../proving/names.ts';

/** Something that the log says is owed, to be done by one runner at a time. */
export type Duty =
  /** To open the run if it isn't yet, and to follow it to its end. */
  | { readonly kind: 'run'; readonly id: string }
  /** To verify a finding for somebody who asked. */
  | { readonly kind: 'verification'; readonly id: string }
  /** To point a study's ref at where its accepted line stands. */
  | { readonly kind: 'accepted-line'; readonly id: string };

export const keyOf = ({ kind, id }: Duty): string => `${kind}:${id}`;

/** What an event means for the duties: one that it brings about or wakes, one that it settles. */
export interface Notice {
  readonly owed: Duty | null;
  readonly settled: Duty | null;
}

const NOTHING: Notice = { owed: null, settled: null };
const owed = (duty: Duty): Notice => ({ owed: duty, settled: null });
const settled = (duty: Duty): Notice => ({ owed: null, settled: duty });

/**
 * Reads duties off events in log order. Holds the type of each unfinished run's last event, since a run is over with
 * the signature of its head after its close or halt.
 */
export const dutyReader = (): ((event: RecordedEvent) => Notice) => {
  const lastTypes = new Map<string, string>();

  const ofRun = (event: RecordedEvent): Notice => {
    const run: Duty = { kind: 'run', id: event.stream.slice('run-'.length) };
    const before = lastTypes.get(run.id);
    const type = event.type as RunEvent['type'];
    if (type === 'RunHeadSigned' && (before === 'RunClosed' || before === 'RunHalted')) {
      lastTypes.delete(run.id);
      return settled(run);
    }
    lastTypes.set(run.id, type);
    return owed(run);
  };

  const ofStudy = (event: RecordedEvent): Notice => {
    const known = event as unknown as StudyEvent;
    switch (known.type) {
      case 'RunRequested':
        return owed({ kind: 'run', id: known.data.runId });
      case 'RunRefused':
        return settled({ kind: 'run', id: known.data.runId });
      default:
        return NOTHING;
    }
  };

  const ofFinding = (event: RecordedEvent): Notice => {
    const known = event as unknown as FindingEvent;
    const id = event.stream.slice('finding-'.length);
    switch (known.type) {
      case 'VerificationRequested':
        return owed({ kind: 'verification', id });
      case 'FindingVerified':
        return settled({ kind: 'verification', id });
      case 'FindingAccepted':
      case 'AcceptedLineReverted':
        return owed({ kind: 'accepted-line', id: studyOf(id.replace(/-f\d+$/, '')) });
      default:
        return NOTHING;
    }
  };

  return (event) => {
    if (event.stream.startsWith('run-')) return ofRun(event);
    if (event.stream.startsWith('study-')) return ofStudy(event);
    if (event.stream.startsWith('finding-')) return ofFinding(event);
    return NOTHING;
  };
};
