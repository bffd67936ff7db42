import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describe, expect, it, vi } from 'vitest';
import { bytesSource, type BundleSource, type Subject } from '#libs/bundle';
import { formatVerifierKey } from '#libs/checkpoints';
import { FOLDER_PREFIX } from '#libs/jobs';
import { ok, refused } from '#libs/kernel';
import { openSandbox } from '#libs/sandbox';
import {
  bundleOf,
  goldenLog,
  inTurn,
  logSigner,
  notaryFacts,
} from '../../../../libs/bundle/src/testing/fixture.ts';
import { exitCodeOf } from '../../../cli/src/exit-codes.ts';
import { replayBundle, type BundleToReplay } from './replay-bundle.ts';

const PATIENCE = 120_000;
const log = logSigner();

const bundled = async (name: 'v1-pay' | 'v2-pay', subject: Subject): Promise<Uint8Array> => {
  const golden = goldenLog(name);
  const facts = notaryFacts(golden.events);
  const notary = inTurn(facts.opened(log), (after) =>
    facts.signed(log, golden.events.length, null, after),
  );
  return (await bundleOf(golden, subject, notary)).bytes;
};

const FINDING = { kind: 'finding', id: 'pay-1-f1' } as const;
const bytes = await bundled('v2-pay', FINDING);

const replay = (given: Partial<BundleToReplay> = {}) =>
  replayBundle({
    source: bytesSource(bytes),
    trust: { logKey: formatVerifierKey(log.key) },
    findingId: null,
    ...given,
  });

describe('the bundle of a run of an earlier version', () => {
  it(
    'is trained again here: the environment differs, member by member, and the predictions do not',
    async () => {
      const steps: number[] = [];
      const source = bytesSource(await bundled('v1-pay', FINDING));
      const replayed = await replay({
        source,
        onProgress: ({ step }) => steps.push(step),
      });
      if (!replayed.ok || replayed.value.replay === null) throw new Error('not replayed');
      const again = replayed.value.replay;
      const [environment, predictions, metric] = again.rows;
      expect(environment).toMatchObject({ row: 'environment', outcome: 'differs' });
      expect(environment?.expected).toMatch(/^holdfast \S+/);
      expect(environment?.found).toContain(`holdfast ${again.environment.holdfast}`);
      expect(environment?.found).not.toContain(environment!.expected);
      // What is the same is not named among what differs.
      expect(environment?.found).not.toContain('platform');
      expect(predictions).toMatchObject({ row: 'predictions', outcome: 'same' });
      expect(metric).toMatchObject({ row: 'metric', outcome: 'attested' });
      expect(again.class).toBe('bit-exact');
      expect(steps.length).toBeGreaterThan(0);
    },
    PATIENCE,
  );
});

describe('a bundle that cannot be trained again', () => {
  it('for want of a sandbox is refused, and nothing runs', async () => {
    const none = await replay({
      sandbox: async () => refused({ code: 'sandbox-missing', message: 'found no bwrap' }),
    });
    expect(none).toMatchObject({ ok: false, error: { code: 'sandbox-missing' } });
    expect(exitCodeOf(none.ok ? { code: '', message: '' } : none.error)).toBe(3);
  });

  it('is laid out where the next training tidies up, were this one killed, and tidied up here', async () => {
    const own = async () =>
      (await readdir(tmpdir())).filter((name) =>
        name.startsWith(`${FOLDER_PREFIX}${process.pid}-`),
      );
    let during: readonly string[] = [];
    await replay({
      sandbox: async () => {
        during = await own();
        return refused({ code: 'sandbox-missing', message: 'found no bwrap' });
      },
    });
    expect(during).toHaveLength(1);
    expect(await own()).toEqual([]);
  });

  it('with every layer that its policy demands is refused', async () => {
    const weak = await replay({
      sandbox: async () => {
        const sandbox = await openSandbox();
        if (!sandbox.ok) return sandbox;
        return ok({ ...sandbox.value, report: { ...sandbox.value.report, layers: [] } });
      },
    });
    expect(weak).toMatchObject({ ok: false, error: { code: 'sandbox-too-weak' } });
    expect(exitCodeOf(weak.ok ? { code: '', message: '' } : weak.error)).toBe(3);
  });

  it('since it does not verify says its verdict, and no sandbox is looked for', async () => {
    const tampered = Uint8Array.from(bytes);
    tampered[Buffer.from(bytes).indexOf('"MutationKept"') + 1]! ^= 1;
    const sandbox = vi.fn(openSandbox);
    const blocked = await replay({ source: bytesSource(tampered), sandbox });
    expect(blocked).toMatchObject({
      ok: true,
      value: { verdict: { verdict: 'BLOCK' }, replay: null },
    });
    const other = formatVerifierKey(logSigner().key);
    expect(await replay({ trust: { logKey: other }, sandbox })).toMatchObject({
      value: { verdict: { verdict: 'BLOCK' }, replay: null },
    });
    expect(sandbox).not.toHaveBeenCalled();
  });

  it('since it was changed after it was verified is refused', async () => {
    let reads = 0;
    const source: BundleSource = {
      size: bytes.length,
      read: async (offset, length) => {
        const read = Uint8Array.from(bytes.subarray(offset, offset + length));
        reads += 1;
        return read;
      },
    };
    // How often it is read until everything was verified and read once more.
    const sandbox = vi.fn(async () => refused({ code: 'sandbox-missing', message: 'none' }));
    await replay({ source, sandbox });
    const all = reads;
    reads = 0;
    const changed = await replay({
      sandbox,
      source: {
        ...source,
        read: async (offset, length) => {
          const read = await source.read(offset, length);
          if (reads === all) read[0]! ^= 1;
          return read;
        },
      },
    });
    expect(changed).toMatchObject({ ok: false, error: { code: 'bundle-changed' } });
    expect(sandbox).toHaveBeenCalledTimes(1);
  });

  it('since another finding was asked for, or none of several, is refused', async () => {
    expect(await replay({ findingId: 'pay-9-f1' })).toMatchObject({
      error: { code: 'finding-unknown' },
    });
    expect(
      await replay({ source: bytesSource(await bundled('v2-pay', { kind: 'run', id: 'pay-1' })) }),
    ).toMatchObject({
      error: { code: 'finding-unknown', message: expect.stringContaining('--finding') as string },
    });
  });

  it('with no place for its record is refused before the training', async () => {
    const sandbox = vi.fn(openSandbox);
    const taken = refused({ code: 'file-exists', message: 'found it there already' });
    expect(await replay({ sandbox, beforeTraining: async () => taken })).toMatchObject({
      error: { code: 'file-exists' },
    });
    expect(sandbox).not.toHaveBeenCalled();
  });
});
