import type { Breach, FileDomain, GateCheck, HarnessPolicy } from '../policy.ts';
import type { Language } from '../syntax/source.ts';

/** One file of the diff between the base tree and the proposed tree. */
export interface FileChange {
  readonly path: string;
  readonly kind: 'added' | 'modified' | 'deleted' | 'type-changed';
  readonly before: string | null;
  readonly after: string | null;
  /** Git mode after the change, e.g. `100644`; null when deleted. */
  readonly mode: string | null;
  /** Content before the change; null when added or no regular file. */
  readonly textBefore: string | null;
  /** Content after the change; null when deleted or no regular file. */
  readonly text: string | null;
}

/** What a changed file was read and classified as. */
export interface FileRuling {
  readonly path: string;
  readonly language: Language;
  /** Null: something that no domain owns. */
  readonly domain: FileDomain | null;
}

/** A text that is no program, or no JSON. */
export interface UnreadableFile {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

export interface MidLoopRuling {
  /** The dearest domain that the diff touches; null when it touches none, or something that no domain owns. */
  readonly domain: FileDomain | null;
  readonly checks: readonly GateCheck[];
  readonly breaches: readonly Breach[];
  /** Files that nothing could run: no breach, but an edit that does not apply. */
  readonly unreadable: readonly UnreadableFile[];
  /** Each changed file; null under version 1, which classified the diff as a whole. */
  readonly files: readonly FileRuling[] | null;
}

export type Policy = Pick<HarnessPolicy, 'version' | 'program' | 'gates' | 'budget'>;

/** The dearest of some domains; null of none. */
export const dearest = (
  { budget }: Pick<Policy, 'budget'>,
  domains: readonly FileDomain[],
): FileDomain | null =>
  domains.reduce<FileDomain | null>(
    (best, domain) => (best === null || budget.costs[domain] > budget.costs[best] ? domain : best),
    null,
  );

export const byteLength = (text: string): number => new TextEncoder().encode(text).length;
