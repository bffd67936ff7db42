import { hash } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LOG_TREE, type Sealed } from '#apps/runner';
import { parseCheckpoint, parseNote, parseVerifierKey, verifyNote } from '#libs/checkpoints';
import { deriveId } from '#libs/kernel';
import {
  appendLeaf,
  EMPTY_FRONTIER,
  leafHash,
  rootOf,
  tilePath,
  tilesOf,
  type Sha256,
} from '#libs/merkle';
import { verifyRaw } from '#libs/signatures';
import { NOTARY_ACTOR } from '../../../../runner/src/actors.ts';
import { NOTARY } from '../../../../runner/src/streams.ts';
import { good } from '../../../../../test/support/results.ts';
import { sealAlone } from '../../../../../test/support/sealing.ts';
import { startTestServer, type TestServer } from '../../testing/server.ts';

const sha256: Sha256 = (bytes) => hash('sha256', bytes, 'buffer');

let server: TestServer;
let auditor: string;
let reads = 0;

/** So many events more. */
const grow = async (count: number): Promise<void> => {
  for (let at = 0; at < count; at += 1) {
    const sent = await server.ledger.reads.send(
      'u-1',
      {
        type: 'RecordRead',
        id: deriveId('read', (reads += 1)),
        data: { operation: 'getRun', asked: { runId: `pay-${reads}` } },
      },
      { role: 'auditor', id: 'u-1' },
    );
    if (!sent.ok) throw new Error(sent.error.message);
  }
};

const seal = async (): Promise<Sealed> => good(await sealAlone(server.ledger));

const bytesOf = async (path: string, token: string | null = auditor): Promise<Buffer> => {
  const answer = await server.get(`/${path}`, token);
  expect([path, answer.status]).toEqual([path, 200]);
  return Buffer.from(await answer.arrayBuffer());
};
const problemOf = async (path: string): Promise<unknown> => {
  const answer = await server.get(`/${path}`, auditor);
  const { type } = (await answer.json()) as { readonly type: string };
  return [answer.status, type.replace('urn:holdfast:problem:', '')];
};

/** What a client of C2SP tlog-tiles does that has an address and a key, and no code of ours. */
const follow = async (
  key: string,
): Promise<{ readonly size: number; readonly leaves: Buffer[] }> => {
  const note = parseNote((await bytesOf('checkpoint')).toString('utf8'));
  const known = parseVerifierKey(sha256, key);
  if (!note.ok || !known.ok) throw new Error('no note');
  expect(verifyNote(note.value, [known.value], verifyRaw).ok).toBe(true);
  const checkpoint = parseCheckpoint(note.value.text);
  if (!checkpoint.ok) throw new Error(checkpoint.error.message);
  const { size, root } = checkpoint.value;
  const nodes = new Map<number, Buffer[]>();
  const leaves: Buffer[] = [];
  for (const tile of tilesOf(size)) {
    const bytes = await bytesOf(tilePath(tile));
    expect(bytes.length).toBe(tile.width * 32);
    const level = nodes.get(tile.level) ?? [];
    for (let at = 0; at < bytes.length; at += 32) level.push(bytes.subarray(at, at + 32));
    nodes.set(tile.level, level);
    if (tile.level > 0) continue;
    const entries = await bytesOf(tilePath({ ...tile, level: 'entries' }));
    for (let at = 0; at < entries.length; at += 34) {
      expect(entries.readUInt16BE(at)).toBe(32);
      leaves.push(entries.subarray(at + 2, at + 34));
    }
  }
  expect(leaves.map((entry) => Buffer.from(leafHash(sha256, entry)))).toEqual(nodes.get(0));
  let frontier = EMPTY_FRONTIER;
  const above: Buffer[] = [];
  for (const leaf of nodes.get(0) ?? [])
    frontier = appendLeaf(sha256, frontier, leaf, (height, _, node) => {
      if (height === 8) above.push(Buffer.from(node));
    });
  expect(nodes.get(1) ?? []).toEqual(above);
  expect(Buffer.from(rootOf(sha256, frontier))).toEqual(Buffer.from(root));
  return { size, leaves };
};

beforeAll(async () => {
  server = await startTestServer();
  auditor = await server.token('auditor');
});
afterAll(() => server.stop());

describe('the log as a whole', () => {
  it('has no checkpoint and no tiles before anybody signed it', async () => {
    await grow(3);
    for (const path of ['checkpoint', 'tile/0/000.p/1'])
      expect(await problemOf(path)).toEqual([404, 'not-signed']);
  });

  it('is followed by its address and its key alone, as it grows', async () => {
    await grow(297);
    const { verifierKey } = await seal();
    const first = await follow(verifierKey);
    expect(first.size).toBe(300);
    await grow(220);
    expect((await follow(verifierKey)).size).toBe(300);
    await seal();
    const second = await follow(verifierKey);
    expect(second.leaves.slice(0, 300)).toEqual(first.leaves);
    expect(second.size).toBe(520);
    const hashes: string[] = [];
    for await (const { stream, hash: chainHash } of server.ledger.log.readStored())
      if (stream !== NOTARY) hashes.push(chainHash);
    expect(second.leaves.map((entry) => entry.toString('hex'))).toEqual(hashes);
  });

  it('says how long each may be kept', async () => {
    const checkpoint = await server.get('/checkpoint', auditor);
    expect(checkpoint.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(checkpoint.headers.get('cache-control')).toBe('max-age=5');
    for (const path of ['/tile/0/000', '/tile/0/002.p/8', '/tile/entries/001']) {
      const tile = await server.get(path, auditor);
      expect(tile.headers.get('content-type')).toBe('application/octet-stream');
      expect(tile.headers.get('cache-control')).toBe('max-age=31536000, immutable');
    }
    const none = await server.get('/tile/0/002', auditor);
    expect(none.headers.get('cache-control')).toBe('no-store');
  });

  it('gives the partial tile of an earlier checkpoint as it was', async () => {
    const earlier = await bytesOf('tile/0/001.p/44');
    expect(earlier).toEqual((await bytesOf('tile/0/001')).subarray(0, 44 * 32));
    expect(await bytesOf('tile/entries/001.p/44')).toHaveLength(44 * 34);
  });

  it.each([
    ['tile/0/002.p/9', 'more than was signed'],
    ['tile/0/002', 'a tile that is not full'],
    ['tile/1/000.p/3', 'a level that does not go so far'],
    ['tile/2/000.p/1', 'a level that is not there'],
    ['tile/63/000.p/1', 'the last level that there can be'],
    ['tile/0/x999/x999/x999/x999/x999/999', 'more than any log holds'],
    ['tile/64/000', 'no level'],
    ['tile/00/000', 'a zero before a number'],
    ['tile/0/x000/000', 'zeroes before a number'],
    ['tile/0/000.p/0', 'an empty tile'],
    ['tile/0/000.p/256', 'a full tile as a partial one'],
    ['tile/0/0', 'no path'],
    ['tile/', 'nothing'],
  ])('does not give %s: %s', async (path) => {
    const answer = await server.get(`/${path}`, auditor);
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });

  it('does not grow by being looked at', async () => {
    const { checkpoint } = await seal();
    await follow((await seal()).verifierKey);
    expect((await seal()).checkpoint?.size).toBe(checkpoint?.size);
  });

  it('carries the cosignatures of its witnesses, and of no other anchor', async () => {
    const { checkpoint, verifierKey } = await seal();
    const { size, root } = checkpoint!;
    const signature = checkpoint!.note.split('\n').at(-2)!.split(' ').at(-1)!;
    const line = `— witness.example ${signature}`;
    for (const [kind, evidence] of [
      ['witness', line],
      ['git-tag', '0'.repeat(40)],
    ] as const) {
      const data = { size, root, kind, by: 'witness.example', evidence };
      const command = { type: 'RecordAnchor', id: deriveId('anchor', kind), data } as const;
      expect(await server.ledger.notary.send(NOTARY, command, NOTARY_ACTOR)).toMatchObject({
        ok: true,
      });
    }
    expect((await bytesOf('checkpoint')).toString()).toBe(`${checkpoint!.note}${line}\n`);
    expect((await follow(verifierKey)).size).toBe(size);
  });

  it('is for those who read the ledger, or for anybody where the server is told so', async () => {
    const agent = await server.token('agent');
    const open = await startTestServer({ publicLog: true }, server.ledger);
    try {
      for (const path of ['/checkpoint', '/tile/0/000', '/tile/entries/000']) {
        expect((await server.get(path)).status).toBe(401);
        expect((await server.get(path, agent)).status).toBe(403);
        expect((await open.get(path)).status).toBe(200);
      }
      expect((await open.get('/v1/ledger')).status).toBe(401);
    } finally {
      await open.stop();
    }
  });

  it('reads entries in places of heavy work, of which those without a token share one holder’s', async () => {
    const { log } = server.ledger;
    let arrived = 0;
    let goOn: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    const slow: typeof log = {
      ...log,
      readStored: async function* (options) {
        // The server itself looks at single events.
        if (options === undefined || !('limit' in options)) {
          arrived += 1;
          await held;
        }
        yield* log.readStored(options);
      },
    };
    const limits = { heavyWork: 2, heavyWorkEach: 1 };
    const crowded = await startTestServer(
      { publicLog: true, limits },
      { ...server.ledger, log: slow },
    );
    try {
      const under = [crowded.get('/tile/entries/000')];
      await vi.waitFor(() => {
        expect(arrived).toBe(1);
      });
      const second = await crowded.get('/tile/entries/000');
      expect([second.status, second.headers.get('retry-after')]).toEqual([503, '2']);
      expect(await second.json()).toMatchObject({ type: 'urn:holdfast:problem:busy' });
      under.push(crowded.get('/tile/entries/000', auditor));
      await vi.waitFor(() => {
        expect(arrived).toBe(2);
      });
      // Hashes are no work.
      expect((await crowded.get('/tile/0/000')).status).toBe(200);
      goOn();
      for (const answer of await Promise.all(under)) expect(answer.status).toBe(200);
      expect((await crowded.get('/tile/entries/000')).status).toBe(200);
    } finally {
      goOn();
      await crowded.stop();
    }
  });

  it('is refused where the files of the tree say less or something else than was signed', async () => {
    const files = join(server.ledger.folder, LOG_TREE);
    const flip = async (level: number, at: number): Promise<void> => {
      const path = join(files, `level-${level}`);
      const bytes = await readFile(path);
      bytes[at]! ^= 1;
      await writeFile(path, bytes);
    };
    const all = ['0/000', '0/001', '0/002.p/8', '1/000.p/2', 'entries/000', '0/000.p/3'];
    const refusals = async (): Promise<string[]> => {
      const refused: string[] = [];
      for (const path of all) {
        const answer = await server.get(`/tile/${path}`, auditor);
        if (answer.ok) continue;
        expect(answer.headers.get('cache-control')).toBe('no-store');
        expect(await answer.json()).toMatchObject({
          status: 500,
          type: 'urn:holdfast:problem:ledger-damaged',
        });
        refused.push(path);
      }
      return refused;
    };
    expect(await refusals()).toEqual([]);
    for (const [level, at, refused] of [
      // Of a tile that is full, the others are as they were signed; without the last ones there is no root.
      [0, 255 * 32, ['0/000', 'entries/000', '0/000.p/3']],
      [0, 256 * 32 + 31, ['0/001']],
      [0, 512 * 32, all],
      [1, 0, all],
      [1, 32, all],
    ] as const) {
      await flip(level, at);
      expect([level, at, await refusals()]).toEqual([level, at, refused]);
      await flip(level, at);
    }
    await rename(join(files, 'level-1'), join(files, 'elsewhere'));
    expect(await problemOf('tile/0/000')).toEqual([503, 'unavailable']);
    await rename(join(files, 'elsewhere'), join(files, 'level-1'));
    expect(await refusals()).toEqual([]);
    await writeFile(join(files, 'level-0'), Buffer.alloc(519 * 32));
    expect(await problemOf('tile/0/002.p/8')).toEqual([503, 'unavailable']);
    await rm(files, { recursive: true });
    expect(await problemOf('tile/0/000')).toEqual([503, 'unavailable']);
    expect((await server.get('/checkpoint', auditor)).status).toBe(200);
    // They are made again from the log.
    await grow(1);
    await follow((await seal()).verifierKey);
  });
});
