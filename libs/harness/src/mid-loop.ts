import {
  FILE_DOMAINS,
  type Breach,
  type FileDomain,
  type GateCheck,
  type HarnessPolicy,
} from './policy.ts';

/** One file of the diff between the base tree and the proposed tree. */
export interface FileChange {
  readonly path: string;
  readonly kind: 'added' | 'modified' | 'deleted' | 'type-changed';
  readonly before: string | null;
  readonly after: string | null;
  /** Git mode after the change, e.g. `100644`; null when deleted. */
  readonly mode: string | null;
  /** Content after the change; null when deleted or no regular file. */
  readonly text: string | null;
}

export interface MidLoopRuling {
  /** The dearest domain that the diff touches; null when it touches a file that no domain owns. */
  readonly domain: FileDomain | null;
  readonly checks: readonly GateCheck[];
  readonly breaches: readonly Breach[];
}

type Policy = Pick<HarnessPolicy, 'program' | 'gates' | 'budget'>;

const domainOf = ({ program }: Policy, path: string): FileDomain | null =>
  FILE_DOMAINS.find((domain) => program.mutable[domain].includes(path)) ?? null;

const dearest = ({ budget }: Policy, domains: readonly FileDomain[]): FileDomain | null =>
  domains.reduce<FileDomain | null>(
    (best, domain) =>
      best === null || budget.costs[domain] > budget.costs[best] ? domain : best,
    null,
  );

const lineOf = (text: string, index: number): number => text.slice(0, index).split('\n').length;

const escaped = (name: string): string => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Where a text sets a protected parameter: as a key (`"seed": …`, `seed: …`) or by assignment (`seed = …`). */
const settings = (text: string, names: readonly string[]) =>
  names.flatMap((name) => {
    const setting = new RegExp(`(?<![\\w$])["']?${escaped(name)}["']?\\s*(?::|=(?!=))`, 'giu');
    return [...text.matchAll(setting)].map((match) => ({ name, line: lineOf(text, match.index) }));
  });

/**
 * The mid-loop gate's rules on the diff of two trees; the agent's own words count for nothing here.
 * Every rule answers, each breach with file and line.
 */
export const midLoopGate = (policy: Policy, changes: readonly FileChange[]): MidLoopRuling => {
  const { maximumFiles, maximumFileBytes } = policy.gates.midLoop;
  const mutable = FILE_DOMAINS.flatMap((domain) => policy.program.mutable[domain]);
  const at = (file: string, line: number | null = null) => ({ file, line });

  const rules: readonly (readonly [string, string, readonly Omit<Breach, 'rule' | 'expected'>[]])[] =
    [
      [
        'mutable-files-only',
        `only ${mutable.join(', ')}`,
        changes
          .filter(({ path }) => domainOf(policy, path) === null)
          .map(({ path, kind }) => ({ found: `${path} ${kind}`, ...at(path) })),
      ],
      [
        'regular-files-only',
        'regular files (mode 100644), none removed',
        changes
          .filter(({ kind, mode }) => kind === 'type-changed' || kind === 'deleted' || mode !== '100644')
          .map(({ path, kind, mode }) => ({
            found: kind === 'deleted' ? `${path} deleted` : `${path} with mode ${mode ?? 'none'}`,
            ...at(path),
          })),
      ],
      [
        'bounded-size',
        `at most ${maximumFiles} files of ${maximumFileBytes} bytes`,
        [
          ...(changes.length > maximumFiles
            ? [{ found: `${changes.length} files`, file: null, line: null }]
            : []),
          ...changes
            .filter(({ text }) => text !== null && byteLength(text) > maximumFileBytes)
            .map(({ path, text }) => ({
              found: `${path} with ${byteLength(text ?? '')} bytes`,
              ...at(path),
            })),
        ],
      ],
      [
        'protected-parameters',
        `none of ${policy.program.protectedParameters.join(', ')} set`,
        changes.flatMap(({ path, text }) =>
          settings(text ?? '', policy.program.protectedParameters).map(({ name, line }) => ({
            found: `${path}:${line} sets ${name}`,
            ...at(path, line),
          })),
        ),
      ],
    ];

  const touched = changes.map(({ path }) => domainOf(policy, path));
  const owned = touched.filter((domain) => domain !== null);
  return {
    domain: owned.length < touched.length ? null : dearest(policy, owned),
    checks: rules.map(([rule, expected, found]) => ({
      rule,
      passed: found.length === 0,
      found: found.length === 0 ? 'none' : found.map((breach) => breach.found).join('; '),
      expected,
    })),
    breaches: rules.flatMap(([rule, expected, found]) =>
      found.map((breach) => ({ rule, expected, ...breach })),
    ),
  };
};

const byteLength = (text: string): number => new TextEncoder().encode(text).length;
