import { setTimeout as sleep } from 'node:timers/promises';

/** A look at something that the server needs; gives what was found, throws where it can't be had. */
export interface Dependency {
  readonly name: string;
  readonly look: () => Promise<string>;
}

export interface Checked {
  readonly name: string;
  readonly status: 'ok' | 'failed';
  readonly milliseconds: number;
  readonly found: string | null;
}

export type Readiness = () => Promise<{
  readonly ready: boolean;
  readonly checks: readonly Checked[];
}>;

/** How long one look may take, and how long an answer holds: many who ask at once cause one look. */
const PATIENCE_MS = 2_000;
const HOLDS_MS = 500;

export const readinessOf = (dependencies: readonly Dependency[]): Readiness => {
  const looking = dependencies.map(oneAtATime);
  let last: { readonly at: number; readonly answer: ReturnType<Readiness> } | null = null;
  return () => {
    const now = performance.now();
    if (last === null || now - last.at > HOLDS_MS) {
      last = {
        at: now,
        answer: Promise.all(looking.map(check)).then((checks) => ({
          ready: checks.every(({ status }) => status === 'ok'),
          checks,
        })),
      };
    }
    return last.answer;
  };
};

/** What hangs is not asked again and again by whoever comes by: the look that is under way is waited for. */
const oneAtATime = ({ name, look }: Dependency): Dependency => {
  let underway: Promise<string> | null = null;
  return {
    name,
    look: () =>
      (underway ??= look().finally(() => {
        underway = null;
      })),
  };
};

const check = async ({ name, look }: Dependency): Promise<Checked> => {
  const begun = performance.now();
  const tooLate = new AbortController();
  const outcome = await Promise.race([
    look().then(
      (found) => ({ status: 'ok', found }) as const,
      // What went wrong stands in the log; names of hosts and files are nobody's out here.
      (error: unknown) =>
        ({ status: 'failed', found: error instanceof Error ? error.name : 'unknown' }) as const,
    ),
    sleep(PATIENCE_MS, { status: 'failed', found: `no answer in ${PATIENCE_MS} ms` } as const, {
      signal: tooLate.signal,
      ref: false,
    }).catch(() => ({ status: 'failed', found: 'stopped' }) as const),
  ]);
  tooLate.abort();
  return { name, ...outcome, milliseconds: Math.round((performance.now() - begun) * 10) / 10 };
};
