import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  isSha256,
  ok,
  refused,
  ROLES,
  type Clock,
  type Refusal,
  type Result,
  type Role,
} from '#libs/kernel';
import { OPAQUE_ID, type TokenHolder } from './principal.ts';

/** What is kept of a token that this machine handed out: all but the token. */
export interface LocalToken {
  /** Names it in lists and when it is revoked; says nothing about the token. */
  readonly id: string;
  /**
   * SHA-256 of the token, hex. A slow hash protects passwords, which people choose and others guess; a token is 256
   * random bits, which nobody guesses however fast the hash is, and it is checked at every request.
   */
  readonly sha256: string;
  readonly role: Role;
  readonly subject: string;
  readonly projects: readonly string[] | 'all';
  readonly run: string | null;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly revokedAt: string | null;
}

export interface TokenToIssue {
  readonly role: Role;
  /** Default: a random id. */
  readonly subject?: string;
  readonly projects: readonly string[] | 'all';
  readonly run?: string | null;
  /** How long it is good for, from now; a year at most. */
  readonly days: number;
}

export type TokenRefusalCode =
  /** What was asked for is no token that can be given. */
  | 'token-invalid'
  /** No token of this id. */
  | 'token-unknown'
  /** The file of the tokens is no such file, or others can read it. */
  | 'tokens-unreadable'
  /** Another process is writing it, or was stopped while it did. */
  | 'tokens-busy';

/** The tokens of one home. */
export interface LocalTokens {
  /** Makes a token. It is given here and never again: only its hash is kept. */
  issue(
    asked: TokenToIssue,
  ): Promise<
    Result<{ readonly token: string; readonly kept: LocalToken }, Refusal<TokenRefusalCode>>
  >;
  /** All of them, oldest first; expired and revoked ones too. */
  list(): Promise<Result<readonly LocalToken[], Refusal<TokenRefusalCode>>>;
  /** From the next request on it is worth nothing. Revoking twice changes nothing. */
  revoke(id: string): Promise<Result<LocalToken, Refusal<TokenRefusalCode>>>;
  /** Whose token it is; null when it is unknown, expired or revoked: which of them is not said. */
  verify(token: string): Promise<Result<TokenHolder | null, Refusal<TokenRefusalCode>>>;
  /** Takes every token out of the file that a person of this subject holds: they are worth nothing, and name nobody. */
  forget(subject: string): Promise<Result<null, Refusal<TokenRefusalCode>>>;
}

/** What every local token starts with, so that a scanner for secrets finds one that got away. */
export const TOKEN_PREFIX = 'hf_';
const TOKEN = /^hf_[A-Za-z0-9_-]{43}$/;

const FILE = 'tokens.json';
const LONGEST_DAYS = 366;
const MOST_TOKENS = 1000;
/** How long another process is waited for that writes the file, and after which one is taken for dead. */
const PATIENCE_MS = 5_000;
const DEAD_MS = 30_000;

/** 256 random bits. */
export const newToken = (): string => `${TOKEN_PREFIX}${randomBytes(32).toString('base64url')}`;

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * The tokens in `tokens.json` of this folder: mode 0600, replaced whole, read again whenever it has changed. There
 * are none while there is no such file.
 *
 * @example
 * const tokens = localTokens(home.folder, systemClock);
 * const issued = await tokens.issue({ role: 'auditor', projects: ['wages'], days: 30 });
 */
export const localTokens = (folder: string, clock: Clock): LocalTokens => {
  const path = join(folder, FILE);
  let known: { readonly version: string; readonly tokens: readonly LocalToken[] } | null = null;

  const read = async (): Promise<Result<readonly LocalToken[], Refusal<TokenRefusalCode>>> => {
    const version = await versionOf(path);
    if (version === null) return ok([]);
    if (known?.version === version) return ok(known.tokens);
    const tokens = await readTokens(path);
    if (tokens.ok) known = { version, tokens: tokens.value };
    return tokens;
  };

  const change = async <T>(
    make: (
      tokens: readonly LocalToken[],
    ) => Result<
      { readonly tokens: readonly LocalToken[]; readonly value: T },
      Refusal<TokenRefusalCode>
    >,
  ): Promise<Result<T, Refusal<TokenRefusalCode>>> => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const draft = await openDraft(path);
    if (!draft.ok) return draft;
    let placed = false;
    try {
      const tokens = await read();
      const made = tokens.ok ? make(tokens.value) : tokens;
      if (!made.ok) return made;
      await draft.value.writeFile(`${JSON.stringify({ tokens: made.value.tokens }, null, 2)}\n`);
      await draft.value.sync();
      // The draft is the lock as well: putting it in place frees it.
      await rename(draftOf(path), path);
      placed = true;
      await syncFolder(folder);
      return ok(made.value.value);
    } finally {
      await draft.value.close();
      // Once it is in place, a draft that is there is another process's.
      if (!placed) await unlink(draftOf(path)).catch(ignoreMissing);
    }
  };

  return {
    issue: async (asked) => {
      const problem = problemOf(asked);
      if (problem !== null) return refused({ code: 'token-invalid', message: problem });
      const token = newToken();
      const now = clock.now();
      const kept: LocalToken = {
        id: randomBytes(6).toString('hex'),
        sha256: sha256(token).toString('hex'),
        role: asked.role,
        subject: asked.subject ?? randomUUID(),
        projects: asked.projects,
        run: asked.run ?? null,
        createdAt: now,
        expiresAt: new Date(Date.parse(now) + asked.days * 86_400_000).toISOString(),
        revokedAt: null,
      };
      return change((tokens) =>
        tokens.length >= MOST_TOKENS
          ? refused({
              code: 'token-invalid',
              message: `found ${tokens.length} tokens in ${path}, expected fewer than ${MOST_TOKENS}; give people an identity provider instead`,
            })
          : ok({ tokens: [...tokens, kept], value: { token, kept } }),
      );
    },
    list: read,
    revoke: (id) =>
      change((tokens) => {
        const found = tokens.find((token) => token.id === id);
        if (found === undefined)
          return refused({
            code: 'token-unknown',
            message: `found no token ${id} in ${path}; list them with: npx holdfast token list`,
          });
        const value = { ...found, revokedAt: found.revokedAt ?? clock.now() };
        return ok({ tokens: tokens.map((token) => (token.id === id ? value : token)), value });
      }),
    verify: async (token) => {
      if (!TOKEN.test(token)) return ok(null);
      const tokens = await read();
      if (!tokens.ok) return tokens;
      const given = sha256(token);
      let found: LocalToken | null = null;
      // All are compared, each in constant time: how long it takes tells nothing of what is kept.
      for (const one of tokens.value)
        if (timingSafeEqual(given, Buffer.from(one.sha256, 'hex'))) found = one;
      if (found === null || found.revokedAt !== null || found.expiresAt <= clock.now())
        return ok(null);
      const { role, subject, projects, run } = found;
      return ok({ role, subject, projects, run, via: 'local', issuer: 'local' });
    },
    forget: async (subject) => {
      const isTheirs = (token: LocalToken): boolean =>
        token.role !== 'agent' && token.subject === subject;
      const tokens = await read();
      if (!tokens.ok) return tokens;
      return tokens.value.some(isTheirs)
        ? change((all) => ok({ tokens: all.filter((token) => !isTheirs(token)), value: null }))
        : ok(null);
    },
  };
};

const problemOf = ({ role, subject, projects, run, days }: TokenToIssue): string | null => {
  if (!ROLES.includes(role)) return `found the role ${role}, expected one of ${ROLES.join(', ')}`;
  if (!(Number.isInteger(days) && days >= 1 && days <= LONGEST_DAYS))
    return `found ${days} days, expected a whole number from 1 to ${LONGEST_DAYS}`;
  for (const id of [subject, run, ...(projects === 'all' ? [] : projects)])
    if (id !== undefined && id !== null && !OPAQUE_ID.test(id))
      return `found "${id}", expected an id of letters, digits, ".", "_" and "-", 100 at most; a name or an address has no place in the log`;
  if (projects !== 'all' && projects.length === 0)
    return 'found no project, expected at least one: a token sees the studies of its projects only';
  if (run !== undefined && run !== null && role !== 'agent')
    return `found a run for the role ${role}, expected one for an agent only`;
  return null;
};

const draftOf = (path: string): string => `${path}.new`;

/** A token that was revoked stays so when the machine stops: the folder has to say which file it is, too. */
const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const isErrno = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

const ignoreMissing = (error: unknown): void => {
  if (!isErrno(error, 'ENOENT')) throw error;
};

/** Changes with every replacement of the file; null when there is none. */
const versionOf = async (path: string): Promise<string | null> => {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true });
    return `${ino}-${size}-${mtimeNs}`;
  } catch (error) {
    ignoreMissing(error);
    return null;
  }
};

const openDraft = async (path: string) => {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return ok(await open(draftOf(path), 'wx', 0o600));
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
    }
    const left = await stat(draftOf(path)).catch(() => null);
    if (left !== null && Date.now() - left.mtimeMs > DEAD_MS)
      await unlink(draftOf(path)).catch(ignoreMissing);
    else if (Date.now() > until)
      return refused({
        code: 'tokens-busy',
        message: `found ${draftOf(path)}, expected that nobody else writes the tokens; try again in ${DEAD_MS / 1000} seconds`,
      } as const);
    else await sleep(20);
  }
};

/** The tokens as they were written; a file that others can read, or that says anything else, is refused. */
const readTokens = async (
  path: string,
): Promise<Result<readonly LocalToken[], Refusal<TokenRefusalCode>>> => {
  const unreadable = (found: string) =>
    refused({
      code: 'tokens-unreadable' as const,
      message: `found ${found} in ${path}, expected what "holdfast token" wrote, readable by its owner only; put it right, or remove the file and make new tokens`,
    });
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { mode } = await handle.stat();
    if ((mode & 0o077) !== 0)
      return unreadable(`mode ${(mode & 0o777).toString(8).padStart(4, '0')}`);
    const parsed: unknown = JSON.parse(await handle.readFile('utf8'));
    const tokens = isRecord(parsed) ? parsed['tokens'] : undefined;
    if (!Array.isArray(tokens)) return unreadable('no list of tokens');
    const bad = tokens.findIndex((token) => !isLocalToken(token));
    return bad === -1
      ? ok(tokens as LocalToken[])
      : unreadable(`a token (number ${bad}) without its form`);
  } catch (error) {
    if (error instanceof SyntaxError) return unreadable('no JSON');
    throw error;
  } finally {
    await handle.close();
  }
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isId = (value: unknown): boolean => typeof value === 'string' && OPAQUE_ID.test(value);
const isTime = (value: unknown): boolean =>
  typeof value === 'string' && /Z$/.test(value) && !Number.isNaN(Date.parse(value));

const isLocalToken = (token: unknown): boolean =>
  isRecord(token) &&
  isId(token['id']) &&
  isSha256(token['sha256']) &&
  ROLES.includes(token['role'] as Role) &&
  isId(token['subject']) &&
  (token['projects'] === 'all' ||
    (Array.isArray(token['projects']) && token['projects'].every(isId))) &&
  (token['run'] === null || isId(token['run'])) &&
  isTime(token['createdAt']) &&
  isTime(token['expiresAt']) &&
  (token['revokedAt'] === null || isTime(token['revokedAt']));
