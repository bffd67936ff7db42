import { isSha256 } from '#libs/kernel';
import type { Append } from './events.ts';

/** Whether something is written as an append, and says nothing else. What a stranger wrote may have any shape. */
export const isAppend = (value: unknown): value is Append => {
  if (typeof value !== 'object' || value === null) return false;
  const { stream, from, to, hash, ...more } = value as Partial<Record<keyof Append, unknown>>;
  return (
    Object.keys(more).length === 0 &&
    typeof stream === 'string' &&
    stream !== '' &&
    !stream.includes('\n') &&
    Number.isSafeInteger(from) &&
    Number.isSafeInteger(to) &&
    0 <= Number(from) &&
    Number(from) <= Number(to) &&
    isSha256(hash)
  );
};

export const isSameAppend = (one: Append, other: Append): boolean =>
  one.stream === other.stream &&
  one.from === other.from &&
  one.to === other.to &&
  one.hash === other.hash;

/** What an acceptance says of log, alarm and append: all but who accepts. */
export const acceptanceHead = (
  origin: string,
  alarm: number,
  { stream, from, to, hash }: Append,
): string =>
  `holdfast/notary-acceptance/v1\n${origin}\nalarm ${alarm}\nappend ${from} ${to} ${hash} ${stream}\n`;

/** What is signed where a human vouches for an append against the rules. */
export const acceptanceText = (
  origin: string,
  alarm: number,
  append: Append,
  { role, id }: Accepted['by'],
): string => `${acceptanceHead(origin, alarm, append)}by ${role} ${id}\n`;

/** `run-pay-1@3-5 (9f2c…)`: its stream, its revisions, the chain hash of the last of them in full. */
export const shownAppend = ({ stream, from, to, hash }: Append): string =>
  `${stream}@${from}${to === from ? '' : `-${to}`} (${hash})`;

/** An append that the rules would not have made, and who vouched for it, as the log says. */
export interface Accepted {
  readonly append: Append;
  /** Role and opaque id, as of every human in the log. */
  readonly by: { readonly role: string; readonly id: string };
  readonly time: string;
}

const NAMED = 100;

/** What every checkpoint after it rests on, in a sentence; null where nobody accepted anything. */
export const acceptedText = (accepted: readonly Accepted[]): string | null => {
  const named = accepted
    .slice(0, NAMED)
    .map(({ append, by, time }) => `${shownAppend(append)} by ${by.role} ${by.id}, ${time}`);
  if (accepted.length > NAMED) named.push(`and ${accepted.length - NAMED} more`);
  return accepted.length === 0
    ? null
    : `${accepted.length} ${accepted.length === 1 ? 'append was' : 'appends were'} accepted by a person against the rules' replay: ${named.join('; ')}`;
};
