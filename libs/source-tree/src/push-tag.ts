import fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import git from 'isomorphic-git';
import http from 'isomorphic-git/http/node';
import { ok, reasonOf, refused, type Refusal, type Result } from '#libs/kernel';

export type PushRefusalCode =
  /** The remote can't be reached, or takes nothing from us. */
  | 'remote-unreachable'
  /** The remote is none of the kinds that can be pushed to. */
  | 'bad-remote'
  /** It holds another tag of this name, or one that comes after it: it was given another history. */
  | 'inconsistent';

/** An annotated tag that commits to a file: the same fields make the same tag object. */
export interface TagToPush {
  /** Tags of one series are `<series>/<number>`; no number comes after a greater one. */
  readonly series: string;
  readonly number: number;
  /** The message of the tag and of the commit that it is on. */
  readonly message: string;
  /** The files of that commit, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** RFC 3339; whole seconds of it stand in the objects. */
  readonly time: string;
}

const PATIENCE_MS = 30_000;
const IDENTITY = { name: 'Holdfast', email: 'holdfast@localhost' };

/** The repository in which the tag is made before it is pushed; the tag of a number is named by a ref. */
const writeTag = async (
  gitdir: string,
  { series, number, message, files, time }: TagToPush,
): Promise<string> => {
  const who = {
    ...IDENTITY,
    timestamp: Math.floor(Date.parse(time) / 1000),
    timezoneOffset: 0,
  };
  const tree = [];
  for (const [path, text] of Object.entries(files))
    tree.push({
      ...{ mode: '100644', path, type: 'blob' as const },
      oid: await git.writeBlob({ fs, gitdir, blob: new TextEncoder().encode(text) }),
    });
  const commit = await git.writeCommit({
    ...{ fs, gitdir },
    commit: {
      tree: await git.writeTree({ fs, gitdir, tree }),
      ...{ parent: [], author: who, committer: who, message },
    },
  });
  return git.writeTag({
    ...{ fs, gitdir },
    tag: { object: commit, type: 'commit', tag: `${series}/${number}`, tagger: who, message },
  });
};

const inTime = async <T>(work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};

/** A remote as it may be shown: without the user and password that its address may hold. */
export const shownRemote = (remote: string): string =>
  remote.replace(/^(https?:\/\/)[^/@]*@/, '$1');

interface Remote {
  /** The numbers of the series that it holds, with the tag objects. */
  readonly tags: () => Promise<ReadonlyMap<number, string>>;
  readonly push: (tag: string) => Promise<void>;
}

const numbered = (
  series: string,
  refs: Iterable<readonly [name: string, oid: string]>,
): ReadonlyMap<number, string> => {
  const found = new Map<number, string>();
  for (const [name, oid] of refs) {
    const number = name.startsWith(`${series}/`) ? name.slice(series.length + 1) : '';
    if (/^[1-9][0-9]{0,15}$/.test(number)) found.set(Number(number), oid);
  }
  return found;
};

/** A repository over smart HTTP. */
const httpRemote = (gitdir: string, url: string, { series, number }: TagToPush): Remote => ({
  tags: async () => {
    const prefix = 'refs/tags/';
    const refs = await git.listServerRefs({ http, url, prefix, protocolVersion: 1 });
    return numbered(
      series,
      refs.map(({ ref, oid }) => [ref.slice(prefix.length), oid]),
    );
  },
  push: async (tag) => {
    const ref = `refs/holdfast/anchors/${series}/${number}`;
    await git.writeRef({ fs, gitdir, ref, value: tag, force: true });
    const remoteRef = `refs/tags/${series}/${number}`;
    const { ok: isTaken, error } = await git.push({ fs, http, gitdir, url, ref, remoteRef });
    if (!isTaken) throw new Error(error ?? 'the push was not taken');
  },
});

/** A bare repository on this machine or on a disk that it mounts. */
const folderRemote = (folder: string, tag: TagToPush): Remote => ({
  tags: async () => {
    const found: (readonly [string, string])[] = [];
    for (const name of await git.listTags({ fs, gitdir: folder }))
      found.push([name, await git.resolveRef({ fs, gitdir: folder, ref: `refs/tags/${name}` })]);
    return numbered(tag.series, found);
  },
  push: async () => {
    const value = await writeTag(folder, tag);
    await git.writeRef({
      ...{ fs, gitdir: folder, value },
      ref: `refs/tags/${tag.series}/${tag.number}`,
    });
  },
});

/** The folder of a remote that is a path or a file: address; null for any other. */
const folderOf = (remote: string): string | null =>
  remote.startsWith('/') ? remote : remote.startsWith('file://') ? fileURLToPath(remote) : null;

/**
 * Pushes an annotated tag to a remote: smart HTTP(S), user and password in the address, or the path of a bare
 * repository. A tag that is there already is left as it is; one of the same name that is another, or of a greater
 * number, refuses the push.
 *
 * @param gitdir - a bare repository of ours, in which the objects are made
 * @returns the id of the tag object
 */
export const pushTag = async (
  gitdir: string,
  remote: string,
  tag: TagToPush,
): Promise<Result<{ readonly oid: string }, Refusal<PushRefusalCode>>> => {
  const shown = shownRemote(remote);
  const folder = folderOf(remote);
  if (folder === null && !/^https?:\/\//.test(remote))
    return refused({
      code: 'bad-remote',
      message: `found the remote ${shown}, expected an http:// or https:// address or the path of a bare repository`,
    });
  if (folder !== null && !fs.existsSync(join(folder, 'objects')))
    return refused({
      code: 'bad-remote',
      message: `found no bare repository in ${folder}, expected one: make it with "git init --bare"`,
    });
  try {
    const at = folder === null ? httpRemote(gitdir, remote, tag) : folderRemote(folder, tag);
    const oid = await writeTag(gitdir, tag);
    const tags = await inTime(at.tags());
    const there = tags.get(tag.number);
    if (there !== undefined && there !== oid)
      return refused({
        code: 'inconsistent',
        message: `found another tag ${tag.series}/${tag.number} in ${shown} (${there}), expected ${oid}`,
      });
    const later = [...tags.keys()].find((number) => number > tag.number);
    if (later !== undefined)
      return refused({
        code: 'inconsistent',
        message: `found the tag ${tag.series}/${later} in ${shown}, expected none after ${tag.number}`,
      });
    if (there === undefined) await inTime(at.push(oid));
    return ok({ oid });
  } catch (error) {
    const why = reasonOf(error);
    return refused({
      code: 'remote-unreachable',
      message: `found ${shown} not taking a tag: ${why.replaceAll(remote, shown)}`,
    });
  }
};
