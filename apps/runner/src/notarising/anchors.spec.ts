import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { verifyTimestamp } from '#libs/anchors';
import {
  formatVerifierKey,
  parseNote,
  parseVerifierKey,
  SIGNATURE_TYPES,
  verifyNote,
} from '#libs/checkpoints';
import type { EventLog } from '#libs/event-log';
import { refused } from '#libs/kernel';
import { memoryLeases } from '#libs/leases';
import { notaryKey } from '#libs/notary';
import {
  startGitServer,
  type GitServerDouble,
} from '../../../../test/doubles/git-server/git-server.ts';
import {
  startTimestampAuthority,
  type TimestampAuthorityDouble,
} from '../../../../test/doubles/timestamp-authority/timestamp-authority.ts';
import { startWitness, type WitnessDouble } from '../../../../test/doubles/witness/witness.ts';
import { git } from '../../../../test/support/git.ts';
import { signerOf } from '../../../../libs/checkpoints/src/testing/signers.ts';
import { NOTARY_PORTS, notaryStream } from '../streams.ts';
import {
  clock,
  grow,
  judgesNothing,
  newSigner,
  notaryEventsOf,
  openLogIn,
} from '../testing/notarised-log.ts';
import { NO_ANCHORS, openAnchors, tagSeries, type Anchor, type AnchorSettings } from './anchors.ts';
import type { NotaryLedger } from './notary.ts';
import { sealLog } from './seal.ts';

const ORIGIN = 'ledger.example/one';
const signer = newSigner();
const cosigner = signerOf('witness.example', SIGNATURE_TYPES.cosignature);

let folder: string;
let log: EventLog;
let endings: (() => Promise<void>)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-anchors-'));
  git(folder, 'init', '--bare', '-q', 'objects.git');
  log = openLogIn(folder);
  endings = [];
});
afterEach(async () => {
  await log.close();
  for (const end of endings) await end();
  rmSync(folder, { recursive: true, force: true });
});

const ledger = (): NotaryLedger => ({
  ...{ folder, log, notary: notaryStream(log, clock), leases: memoryLeases() },
});

const seal = async (settings: Partial<AnchorSettings>, on = ledger()) => {
  const anchors = await openAnchors(folder, { ...NO_ANCHORS, ...settings });
  if (!anchors.ok) throw new Error(anchors.error.message);
  const options = { signer, origin: ORIGIN, judge: judgesNothing, anchors: anchors.value };
  return sealLog(on, options);
};

const witnessDouble = async (): Promise<WitnessDouble> => {
  const double = await startWitness({
    ...NOTARY_PORTS,
    ...{ signer: cosigner, logs: [notaryKey(NOTARY_PORTS.sha256, ORIGIN, signer)] },
    now: () => 1_763_625_600,
  });
  endings.push(() => double.close());
  return double;
};
const asked = ({ url }: Pick<WitnessDouble, 'url'>) => [
  { url, verifierKey: formatVerifierKey(cosigner.key) },
];

const anchored = async () =>
  (await notaryEventsOf(log))
    .filter(({ type }) => type === 'CheckpointAnchored')
    .map(({ data }) => data as { size: number; kind: string; by: string; evidence: string });

it('a witness cosigns each checkpoint, and its cosignature is kept', async () => {
  const witness = await witnessDouble();
  for (const size of [5, 300]) {
    await grow(log, size - (size === 5 ? 0 : 5));
    expect(await seal({ witnesses: asked(witness) })).toMatchObject({
      ok: true,
      value: { anchors: [{ kind: 'witness', by: 'witness.example', problem: null }] },
    });
  }
  expect((await anchored()).map(({ size }) => size)).toEqual([5, 300]);
  const last = (await notaryEventsOf(log)).findLast(({ type }) => type === 'CheckpointSigned');
  const note = parseNote(
    `${(last!.data as { note: string }).note}${(await anchored())[1]!.evidence}\n`,
  );
  if (!note.ok) throw new Error(note.error.message);
  const verified = verifyNote(note.value, [cosigner.key], NOTARY_PORTS.verify);
  expect(verified).toMatchObject({ ok: true, value: [{ seconds: 1_763_625_600 }] });
});

it('a witness that saw more of this log than there is raises the alarm', async () => {
  const witness = await witnessDouble();
  await grow(log, 20);
  await seal({ witnesses: asked(witness) });
  // The whole home, log and tree, is put back to where it stood before.
  const before = folder;
  await log.close();
  folder = mkdtempSync(join(tmpdir(), 'holdfast-anchors-'));
  rmSync(before, { recursive: true });
  log = openLogIn(folder);
  await grow(log, 10);
  expect(await seal({ witnesses: asked(witness) })).toMatchObject({
    ok: false,
    error: { code: 'notary-alarm', message: expect.stringContaining('20 leaves') as string },
  });
  expect((await notaryEventsOf(log)).at(-1)).toMatchObject({
    type: 'NotaryAlarmRaised',
    data: { reason: 'not-an-extension', size: 10 },
  });
});

it('a witness that is not there keeps nothing from being signed, and is asked again', async () => {
  await grow(log, 5);
  const gone = asked({ url: 'http://127.0.0.1:9' });
  expect(await seal({ witnesses: gone })).toMatchObject({
    ok: true,
    value: {
      isNew: true,
      anchors: [{ problem: expect.stringContaining('not answering') as string }],
    },
  });
  const witness = await witnessDouble();
  expect(await seal({ witnesses: asked(witness) })).toMatchObject({
    ok: true,
    value: { isNew: false, anchors: [{ problem: null }] },
  });
  expect(await anchored()).toHaveLength(1);
});

it('a timestamp authority says when it saw a checkpoint', async () => {
  const authority: TimestampAuthorityDouble = await startTimestampAuthority();
  endings.push(() => authority.close());
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, new X509Certificate(authority.root).toString());
  await grow(log, 5);
  expect(await seal({ timestampAuthorities: [{ url: authority.url, caFile }] })).toMatchObject({
    ok: true,
    value: { anchors: [{ kind: 'timestamp', problem: null }] },
  });
  const [{ evidence } = { evidence: '' }] = await anchored();
  const signed = (await notaryEventsOf(log)).find(({ type }) => type === 'CheckpointSigned');
  const note = Buffer.from((signed!.data as { note: string }).note, 'utf8');
  const token = Buffer.from(evidence, 'base64');
  expect(await verifyTimestamp(token, note, [authority.root])).toMatchObject({ ok: true });
});

it.each([
  ['no certificates', { timestampAuthorities: [{ url: 'http://t', caFile: '/dev/null' }] }],
  ['no vkey', { witnesses: [{ url: 'http://w', verifierKey: 'witness' }] }],
  [
    'cosigns',
    {
      witnesses: [
        {
          ...{ url: 'http://w' },
          verifierKey: formatVerifierKey(notaryKey(NOTARY_PORTS.sha256, ORIGIN, signer)),
        },
      ],
    },
  ],
])('a configuration that says %s is refused before anything is signed', async (_, settings) => {
  expect(await openAnchors(folder, { ...NO_ANCHORS, ...settings })).toMatchObject({
    ok: false,
    error: { code: 'environment' },
  });
});

const remotes: readonly (readonly [string, () => Promise<{ remote: string; bare: string }>])[] = [
  [
    'in a folder',
    async () => {
      git(folder, 'init', '--bare', '-q', 'remote.git');
      const bare = join(folder, 'remote.git');
      return { remote: bare, bare };
    },
  ],
  [
    'over HTTP',
    async () => {
      git(folder, 'init', '--bare', '-q', 'remote.git');
      const bare = join(folder, 'remote.git');
      git(bare, 'config', 'http.receivepack', 'true');
      const server: GitServerDouble = await startGitServer(folder);
      endings.push(() => server.close());
      return { remote: `${server.url}/remote.git`, bare };
    },
  ],
];

it.each(remotes)('a git remote %s holds each checkpoint as an annotated tag', async (_, make) => {
  const { remote, bare } = await make();
  await grow(log, 5);
  await seal({ remote });
  await grow(log, 5);
  expect(await seal({ remote })).toMatchObject({
    ok: true,
    value: { anchors: [{ kind: 'git-tag', by: remote, problem: null }] },
  });
  const series = tagSeries(ORIGIN);
  expect(git(bare, 'tag', '--list').split('\n').toSorted()).toEqual([
    `${series}/10`,
    `${series}/5`,
  ]);
  expect((await anchored()).map(({ evidence }) => evidence)).toEqual(
    [5, 10].map((size) => git(bare, 'rev-parse', `refs/tags/${series}/${size}`)),
  );
  const signed = (await notaryEventsOf(log)).filter(({ type }) => type === 'CheckpointSigned');
  const { note } = signed[1]!.data as { note: string };
  expect(`${git(bare, 'show', `${series}/10:checkpoint`)}\n`).toBe(note);
  const tag = git(bare, 'cat-file', 'tag', `${series}/10`);
  expect(tag).toContain(note.trimEnd());
  git(bare, 'fsck', '--strict');
  const key = parseVerifierKey(
    NOTARY_PORTS.sha256,
    formatVerifierKey(notaryKey(NOTARY_PORTS.sha256, ORIGIN, signer)),
  );
  const found = parseNote(note);
  expect(key.ok && found.ok && verifyNote(found.value, [key.value], NOTARY_PORTS.verify).ok).toBe(
    true,
  );
});

it.each(remotes)(
  'a git remote %s that holds more than there is raises the alarm',
  async (_, make) => {
    const { remote, bare } = await make();
    await grow(log, 20);
    await seal({ remote });
    const series = tagSeries(ORIGIN);
    expect(git(bare, 'tag', '--list')).toBe(`${series}/20`);
    await log.close();
    rmSync(join(folder, 'log.sqlite'));
    rmSync(join(folder, 'log-tree'), { recursive: true });
    log = openLogIn(folder);
    await grow(log, 10);
    expect(await seal({ remote })).toMatchObject({ ok: false, error: { code: 'notary-alarm' } });
    expect(git(bare, 'tag', '--list')).toBe(`${series}/20`);
  },
);

it('a notary that others left behind raises no alarm over what they were shown since', async () => {
  await grow(log, 5);
  const others: Anchor = {
    ...{ kind: 'witness', by: 'witness.example' },
    hold: async () => {
      // Its lease ran out while it stood still: another one signs more, and shows that around.
      await grow(log, 5);
      expect(await seal({})).toMatchObject({ ok: true, value: { checkpoint: { size: 10 } } });
      return refused({ code: 'inconsistent', message: 'found 10 leaves' });
    },
  };
  const sealing = { signer, origin: ORIGIN, judge: judgesNothing, anchors: [others] };
  expect(await sealLog(ledger(), sealing)).toMatchObject({
    ok: false,
    error: { code: 'lost-race' },
  });
  expect((await notaryEventsOf(log)).map(({ type }) => type)).not.toContain('NotaryAlarmRaised');
});

it('a remote that takes nothing is said, without its password', async () => {
  await grow(log, 5);
  const said = await seal({ remote: 'http://user:secret@127.0.0.1:9/x.git' });
  expect(said).toMatchObject({
    ok: true,
    value: { anchors: [{ by: 'http://127.0.0.1:9/x.git' }] },
  });
  expect(JSON.stringify(said)).not.toContain('secret');
  expect(await seal({ remote: 'git@host:x.git' })).toMatchObject({
    ok: true,
    value: { anchors: [{ problem: expect.stringContaining('https://') as string }] },
  });
});
