import canonicalize from 'canonicalize';
import type { Subject } from './format.ts';
import type { ChainedBody } from './notary-stream.ts';

/**
 * Collects what a summary tells, from the events that tell their place in the log, in the order of a bundle. It keeps
 * the lines that they give, not the events.
 */
export interface Summary {
  readonly observe: (stream: string, body: ChainedBody) => void;
  readonly text: (subject: Subject) => string;
}

const MOST = 2_000;

/** Controls, and what is invisible or turns the direction: a fixed list, since those of Unicode grow. */
const HIDDEN =
  /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]+/gu;

/** What is no text, as JSON. A stranger's JSON may spell what has no RFC 8785 form: a number too large, half a character. */
const shown = (value: unknown): string => {
  try {
    return canonicalize(value) ?? 'nothing';
  } catch {
    return 'what can not be written';
  }
};

/** One line of plain text of no more than so many characters, whatever an event says. */
const plain = (value: unknown, most = MOST): string => {
  const text = typeof value === 'string' ? value : shown(value);
  return Array.from(text.toWellFormed().replace(HIDDEN, ' ')).slice(0, most).join('');
};

const at = (value: unknown, ...path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>(
    (found, key) =>
      typeof found === 'object' && found !== null && Object.hasOwn(found, key)
        ? (found as Record<string | number, unknown>)[key]
        : undefined,
    value,
  );

/** What an event of a finding adds: what it claims, and what became of it since. */
const findingLines = ({ type, data, metadata }: ChainedBody): readonly string[] => {
  const when = plain(metadata.time, 40);
  switch (type) {
    case 'FindingProposed':
      return [
        `  claimed ${when}: ${plain(data['statement'])}`,
        `  estimate ${plain(at(data, 'claim', 'estimate'))}, interval ${plain(at(data, 'claim', 'interval', 'lower'))} to ${plain(at(data, 'claim', 'interval', 'upper'))} at level ${plain(at(data, 'claim', 'interval', 'level'))}, n = ${plain(at(data, 'claim', 'n'))}`,
        `  from tree ${plain(at(data, 'chain', 'fromTree'))} to tree ${plain(at(data, 'chain', 'toTree'))} of run ${plain(at(data, 'chain', 'runId'))}`,
        `  source commit ${plain(at(data, 'chain', 'sourceCommit'))}, tree ${plain(at(data, 'chain', 'sourceTree'))}`,
      ];
    case 'FindingVerified':
      return [`  verified by the operator ${when}: ${plain(data['verdict'])}`];
    case 'FindingReviewed':
      return [`  reviewed ${when}: ${plain(data['decision'])}`];
    case 'FindingAccepted':
      return [`  accepted ${when}: tree ${plain(data['tree'])}`];
    case 'FindingDiscarded':
      return [`  discarded ${when}`];
    case 'AcceptedLineReverted':
      return [`  the accepted line went back ${when} to tree ${plain(data['toTree'])}`];
    case 'VerificationRequested':
      return [`  verification asked for ${when}`];
    case 'FindingReplayed':
      return [`  trained again by the operator ${when}: ${plain(data['class'])}`];
    default:
      return [];
  }
};

const runLines = ({ type, data, metadata }: ChainedBody): readonly string[] => {
  const when = plain(metadata.time, 40);
  switch (type) {
    case 'RunOpened': {
      const forkedFrom = data['forkedFrom'] ?? null;
      return [
        `  opened ${when}, number ${plain(data['number'])} of study ${plain(data['studyId'])}: ${plain(at(data, 'policy', 'study', 'title'))}`,
        `  pinned: commit ${plain(at(data, 'pins', 'commit'))}, tree ${plain(at(data, 'pins', 'tree'))}, data ${plain(at(data, 'pins', 'dataDigest'))}, policy ${plain(at(data, 'pins', 'policyDigest'))}`,
        ...(forkedFrom === null
          ? []
          : [
              `  forked from run ${plain(at(forkedFrom, 'runId'))} after ${plain(at(forkedFrom, 'mutationId'))}`,
            ]),
      ];
    }
    case 'LoopEnded':
      return [
        `  the loop ended ${when} (${plain(data['reason'])}): ${plain(data['spent'])} of ${plain(data['total'])} units spent`,
      ];
    case 'RunHalted':
      return [`  halted ${when}: ${plain(data['message'])}`];
    case 'RunClosed':
      return [`  closed ${when}`];
    default:
      return [];
  }
};

/**
 * The page that stands in a bundle for people: what its events say, and nothing that they don't. A pure function of
 * them, so that a verifier makes it anew and sees whether somebody wrote another.
 */
export const summary = (): Summary => {
  const runs = new Map<string, string[]>();
  const findings = new Map<string, string[]>();
  const linesOf = (of: Map<string, string[]>, stream: string, what: string): string[] => {
    const lines = of.get(stream) ?? [`${what} ${plain(stream.slice(stream.indexOf('-') + 1))}`];
    of.set(stream, lines);
    return lines;
  };
  return {
    observe: (stream, body) => {
      if (stream.startsWith('finding-'))
        linesOf(findings, stream, 'Finding').push(...findingLines(body));
      if (stream.startsWith('run-')) linesOf(runs, stream, 'Run').push(...runLines(body));
    },
    text: (subject) =>
      [
        `Holdfast bundle of ${subject.kind} ${plain(subject.id)}`,
        '',
        ...[...findings.values(), ...runs.values()].flatMap((lines) => [...lines, '']),
        'What a bundle proves is how a finding was reached, not that it is true. Times are the operator’s own.',
        '',
      ].join('\n'),
  };
};
