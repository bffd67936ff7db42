import { FILE_DOMAINS, type FileDomain, type HarnessPolicy } from '../policy.ts';

/** What a policy lets change in one file. */
export interface MutableFile {
  /** The domains that own it as a whole; none where only parts of it may change. */
  readonly whole: readonly FileDomain[];
  /** Declarations by name, or values of a JSON file by JSON pointer. */
  readonly parts: readonly { readonly name: string; readonly domain: FileDomain }[];
}

/** The domains that own something of a file. */
export const ownersOf = ({ whole, parts }: MutableFile): readonly FileDomain[] => [
  ...whole,
  ...parts.map(({ domain }) => domain),
];

/** A mutable entry of a policy: a file (`model.js`) or a part of one (`model.js#build`, `config.json#/rate`). */
export interface MutableEntry {
  readonly path: string;
  /** Null for the whole file. */
  readonly part: string | null;
}

/** Reads an entry. The key of a JSON file (`#rate`) stands for its pointer (`#/rate`, RFC 6901). */
const mutableEntry = (entry: string): MutableEntry => {
  const sign = entry.indexOf('#');
  if (sign < 0) return { path: entry, part: null };
  const path = entry.slice(0, sign);
  const name = entry.slice(sign + 1);
  const isKey = /\.json$/iu.test(path) && !name.startsWith('/');
  return { path, part: isKey ? `/${name.replaceAll('~', '~0')}` : name };
};

type Program = Pick<HarnessPolicy, 'version'> & {
  readonly program: Pick<HarnessPolicy['program'], 'mutable'>;
};

/** The entries of a policy with their domains. Under version 1 each is a whole file, whatever its name holds. */
export const mutableEntries = ({
  version,
  program,
}: Program): readonly (MutableEntry & { readonly domain: FileDomain })[] =>
  FILE_DOMAINS.flatMap((domain) =>
    program.mutable[domain].map((entry) => ({
      ...(version === 1 ? { path: entry, part: null } : mutableEntry(entry)),
      domain,
    })),
  );

/** The files that hold something mutable, each once. */
export const mutablePaths = (policy: Program): readonly string[] => [
  ...new Set(mutableEntries(policy).map(({ path }) => path)),
];

/** The domains that own a key of a JSON file: by the key or, where none does, by the file. */
export const jsonOwners = (
  mutable: Program['program']['mutable'],
  path: string,
  key: string,
): readonly FileDomain[] => {
  const file = mutableFile({ version: 2, program: { mutable } }, path);
  const own = mutableEntry(`${path}#${key.replaceAll('/', '~1')}`).part;
  const parts = (file?.parts ?? []).filter(({ name }) => name === own).map(({ domain }) => domain);
  return parts.length > 0 ? parts : (file?.whole ?? []);
};

/** What may change in a file; null where nothing may. */
export const mutableFile = (policy: Program, path: string): MutableFile | null => {
  const entries = mutableEntries(policy).filter((entry) => entry.path === path);
  return entries.length === 0
    ? null
    : {
        whole: entries.filter(({ part }) => part === null).map(({ domain }) => domain),
        parts: entries.flatMap(({ part, domain }) =>
          part === null ? [] : [{ name: part, domain }],
        ),
      };
};
