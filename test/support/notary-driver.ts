import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { followNotary, openLedger, openSealing, sealLog, type NotarySettings } from '#apps/runner';
import type { EventLog } from '#libs/event-log';
import { memoryLeases } from '#libs/leases';
import type { Refusal, Result } from '#libs/kernel';

/**
 * The notary that fault tests kill: signs what the log is now, or follows it until it is killed and writes a line each
 * time it sealed; or it kills itself at a step. From the built code: `node notary-driver.ts <home> <settings as JSON> <step> [<n>]`.
 */
const [home = '', settings = '{}', step = 'seal', nth = '1'] = process.argv.slice(2);

const die = (): Promise<never> => {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
};

let steps = 0;
const isTheOne = (): boolean => (steps += 1) === Number(nth);

/** Dies with half of the nth write to the tree's files done. */
const dieInTiles = (): void => {
  const write = fs.writeSync as (file: number, bytes: Uint8Array, ...more: number[]) => number;
  const dying: typeof write = (file, bytes, ...more) => {
    const isTree = fs.readlinkSync(`/proc/self/fd/${file}`).includes('/log-tree/');
    if (isTree && isTheOne()) {
      write(file, bytes, 0, Math.floor(bytes.length / 2));
      void die();
    }
    return write(file, bytes, ...more);
  };
  fs.writeSync = dying as typeof fs.writeSync;
  syncBuiltinESMExports();
};

/** Dies with a tag's objects in the remote, and before the ref that names it. */
const dieBeforeRef = (): void => {
  const write = fs.promises.writeFile as (...args: unknown[]) => Promise<void>;
  fs.promises.writeFile = (path: unknown, ...more: unknown[]) =>
    String(path).includes('/refs/tags/') ? die() : write(path, ...more);
};

const dyingAtAppend = (log: EventLog): EventLog => ({
  ...log,
  append: async (...request) => {
    const mine = (step === 'before' || step === 'after') && isTheOne();
    if (mine && step === 'before') await die();
    const appended = await log.append(...request);
    if (mine) await die();
    return appended;
  },
});

const good = <T>(result: Result<T, Refusal>): T => {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
  return result.value;
};

if (step === 'tiles') dieInTiles();
if (step === 'ref') dieBeforeRef();
const ledger = good(await openLedger({ folder: home, throughLog: dyingAtAppend }));
// The lease of a notary that was killed is held for a quarter of a minute: nobody waits for it here.
const alone = { ...ledger, leases: memoryLeases() };
const sealing = good(await openSealing(home, JSON.parse(settings) as NotarySettings));
if (step === 'follow')
  await followNotary(alone, {
    ...sealing,
    intervalMs: 20,
    signal: new AbortController().signal,
    onSealed: () => void process.stdout.write('sealed\n'),
    onNotice: (notice) => void process.stderr.write(`${notice}\n`),
  });
const { anchors } = good(await sealLog(alone, sealing));
for (const { by, problem } of anchors)
  if (problem !== null) process.stderr.write(`${by}: ${problem}\n`);
await ledger.close();
