import { acceptedText, type Accepted, type CheckpointAnchored } from '#libs/notary';

/** On whose word an answer rests. */
export type RestsOn = 'operator' | 'witness' | 'timestamp' | 'signatures';

/** What a verdict can't prove by itself, said plainly. */
export interface StandingLine {
  readonly about: 'time' | 'completeness' | 'one-history' | 'rules' | 'metrics';
  readonly restsOn: readonly RestsOn[];
  readonly says: string;
}

/** Somebody whom the auditor trusts, and when he saw the newest checkpoint (ISO 8601). */
export interface Sighting {
  readonly kind: 'witness' | 'timestamp';
  readonly by: string;
  readonly time: string;
}

export interface Known {
  readonly size: number | null;
  /** Whether the newest checkpoint commits to the heads of all streams. */
  readonly commits: boolean;
  /** When the operator says that the newest checkpoint was signed. */
  readonly signedAt: string | null;
  readonly sightings: readonly Sighting[];
  /** Anchors that the auditor gave no key for, or that can be looked up online only. */
  readonly unverified: readonly CheckpointAnchored['data'][];
  readonly seen: boolean;
  /** Appends that people vouched for against the rules. */
  readonly accepted: readonly Accepted[];
  /** Streams of the bundle. */
  readonly streams: readonly string[];
}

const names = (list: readonly { readonly by: string }[]): string =>
  list.map(({ by }) => by).join(', ');

const time = ({ sightings, signedAt }: Known): StandingLine => {
  const earliest = [...sightings].sort((a, b) => (a.time < b.time ? -1 : 1))[0];
  return earliest === undefined
    ? {
        about: 'time',
        restsOn: ['operator'],
        says: `the operator's word alone: it says ${signedAt ?? 'nothing'}; no timestamp or witness that you named saw this checkpoint`,
      }
    : {
        about: 'time',
        restsOn: [...new Set(sightings.map(({ kind }) => kind))],
        says: `everything here was in the log by ${earliest.time}, says ${earliest.by} (${earliest.kind}); times before that are the operator's word`,
      };
};

const completeness = ({ size, commits }: Known): StandingLine => ({
  about: 'completeness',
  restsOn: ['signatures', 'operator'],
  says: commits
    ? `as of the newest checkpoint, of ${size ?? 0} events, no stream here has a hole or was cut: that checkpoint commits to the last event of each. What was recorded after it is not here: ask the operator for a bundle of today, or hold this one against a checkpoint that you were shown. When that checkpoint was recorded, and what the notary recorded after it, nobody has signed yet: the next checkpoint does`
    : `the newest checkpoint, of ${size ?? 0} events, commits to no heads of streams: whoever gave you this file could have cut off the ends of its streams`,
});

const history = ({ sightings, unverified, seen }: Known): StandingLine => {
  const witnesses = sightings.filter(({ kind }) => kind === 'witness');
  const tags = unverified.filter(({ kind }) => kind === 'git-tag');
  const others = unverified.filter(({ kind }) => kind === 'witness');
  const also = [
    ...(seen ? ['it continues the checkpoint that you saw before'] : []),
    ...(tags.length > 0
      ? [`the operator says that it was pushed as a tag to ${names(tags)}: look there`]
      : []),
    ...(others.length > 0 ? [`it also names ${names(others)}, for whom you gave no key`] : []),
  ];
  return {
    about: 'one-history',
    restsOn: witnesses.length > 0 ? ['witness'] : ['operator'],
    says: [
      witnesses.length > 0
        ? `${names(witnesses)} saw this checkpoint and would have refused another history of the same log`
        : "the operator's word alone: nobody that you named has seen that all are shown the same log",
      ...also,
    ].join('; '),
  };
};

const rules = ({ accepted, streams }: Known): StandingLine => {
  const text = acceptedText(accepted);
  const own = accepted.filter(({ append }) => streams.includes(append.stream)).length;
  return {
    about: 'rules',
    restsOn: ['signatures', 'operator'],
    says:
      text === null
        ? "the notary says that it decided every append of the log anew before it signed, and that nobody had to vouch for one; of the streams here this verifier decides anew what the rows above say, the rest is the notary's word"
        : `${text}. Every checkpoint after that rests on the word of who accepted it; ${own === 0 ? 'none of these appends is in a stream that is here' : `${own} of these appends ${own === 1 ? 'is' : 'are'} in the streams that are here`}`,
  };
};

const METRICS: StandingLine = {
  about: 'metrics',
  restsOn: ['operator'],
  says: "the operator's word: metrics were computed on rows of the vault, which are not here; predictions, programs and rules are, a replay trains again, and computes them too where you are given the rows and the key that splits them",
};

export const standingOf = (known: Known): readonly StandingLine[] => [
  time(known),
  completeness(known),
  history(known),
  rules(known),
  METRICS,
];
