import canonicalize from 'canonicalize';
import type { Subject } from './format.ts';
import type { ChainedBody } from './notary-stream.ts';

/** Collects what a summary tells, from the events that tell their place in the log, in the order of a bundle. */
export interface Summary {
  readonly observe: (stream: string, body: ChainedBody) => void;
  readonly text: () => string;
}

const MOST = 2_000;

/** Controls, and what is invisible or turns the direction: a fixed list, since those of Unicode grow. */
const HIDDEN =
  /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]+/gu;

/** One line of plain text of no more than so many characters, whatever an event says. */
const plain = (value: unknown, most = MOST): string => {
  const text =
    typeof value === 'string' ? value : value === undefined ? 'nothing' : canonicalize(value)!;
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

/** A finding's lines: what it claims, and what became of it since. */
const findingLines = (id: string, events: readonly ChainedBody[]): readonly string[] => {
  const lines = [`Finding ${plain(id)}`];
  for (const { type, data, metadata } of events) {
    const when = plain(metadata.time, 40);
    switch (type) {
      case 'FindingProposed':
        lines.push(
          `  claimed ${when}: ${plain(data['statement'])}`,
          `  estimate ${plain(at(data, 'claim', 'estimate'))}, interval ${plain(at(data, 'claim', 'interval', 'lower'))} to ${plain(at(data, 'claim', 'interval', 'upper'))} at level ${plain(at(data, 'claim', 'interval', 'level'))}, n = ${plain(at(data, 'claim', 'n'))}`,
          `  from tree ${plain(at(data, 'chain', 'fromTree'))} to tree ${plain(at(data, 'chain', 'toTree'))} of run ${plain(at(data, 'chain', 'runId'))}`,
          `  source commit ${plain(at(data, 'chain', 'sourceCommit'))}, tree ${plain(at(data, 'chain', 'sourceTree'))}`,
        );
        break;
      case 'FindingVerified':
        lines.push(`  verified by the operator ${when}: ${plain(data['verdict'])}`);
        break;
      case 'FindingReviewed':
        lines.push(`  reviewed ${when}: ${plain(data['decision'])}`);
        break;
      case 'FindingAccepted':
        lines.push(`  accepted ${when}: tree ${plain(data['tree'])}`);
        break;
      case 'FindingDiscarded':
        lines.push(`  discarded ${when}`);
        break;
      case 'AcceptedLineReverted':
        lines.push(`  the accepted line went back ${when} to tree ${plain(data['toTree'])}`);
        break;
      case 'VerificationRequested':
        lines.push(`  verification asked for ${when}`);
        break;
      case 'FindingReplayed':
        lines.push(`  trained again by the operator ${when}: ${plain(data['class'])}`);
        break;
      default:
    }
  }
  return lines;
};

const runLines = (id: string, events: readonly ChainedBody[]): readonly string[] => {
  const lines = [`Run ${plain(id)}`];
  for (const { type, data, metadata } of events) {
    const when = plain(metadata.time, 40);
    switch (type) {
      case 'RunOpened':
        lines.push(
          `  opened ${when}, number ${plain(data['number'])} of study ${plain(data['studyId'])}: ${plain(at(data, 'policy', 'study', 'title'))}`,
          `  pinned: commit ${plain(at(data, 'pins', 'commit'))}, tree ${plain(at(data, 'pins', 'tree'))}, data ${plain(at(data, 'pins', 'dataDigest'))}, policy ${plain(at(data, 'pins', 'policyDigest'))}`,
        );
        if (data['forkedFrom'] !== null && data['forkedFrom'] !== undefined)
          lines.push(
            `  forked from run ${plain(at(data, 'forkedFrom', 'runId'))} after ${plain(at(data, 'forkedFrom', 'mutationId'))}`,
          );
        break;
      case 'LoopEnded':
        lines.push(
          `  the loop ended ${when} (${plain(data['reason'])}): ${plain(data['spent'])} of ${plain(data['total'])} units spent`,
        );
        break;
      case 'RunHalted':
        lines.push(`  halted ${when}: ${plain(data['message'])}`);
        break;
      case 'RunClosed':
        lines.push(`  closed ${when}`);
        break;
      default:
    }
  }
  return lines;
};

/**
 * The page that stands in a bundle for people: what its events say, and nothing that they don't. A pure function of
 * them, so that a verifier makes it anew and sees whether somebody wrote another.
 */
export const summary = (subject: Subject): Summary => {
  const runs = new Map<string, ChainedBody[]>();
  const findings = new Map<string, ChainedBody[]>();
  const collect = (into: Map<string, ChainedBody[]>, id: string, body: ChainedBody): void => {
    const known = into.get(id);
    if (known === undefined) into.set(id, [body]);
    else known.push(body);
  };
  return {
    observe: (stream, body) => {
      if (stream.startsWith('finding-')) collect(findings, stream.slice('finding-'.length), body);
      if (stream.startsWith('run-')) collect(runs, stream.slice('run-'.length), body);
    },
    text: () =>
      [
        `Holdfast bundle of ${subject.kind} ${plain(subject.id)}`,
        '',
        ...[...findings].flatMap(([id, events]) => [...findingLines(id, events), '']),
        ...[...runs].flatMap(([id, events]) => [...runLines(id, events), '']),
        'What a bundle proves is how a finding was reached, not that it is true. Times are the operator’s own.',
        '',
      ].join('\n'),
  };
};
