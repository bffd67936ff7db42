/** Verifies a bundle again and again, in a process that has loaded nothing else. Started by bundle.ts. */
import { performance } from 'node:perf_hooks';
import { verifyBundle } from '#libs/bundle';
import { BUNDLE_PORTS, openBundleFile } from '../apps/runner/src/proving/bundle-files.ts';
import { median } from './median.ts';

/** Every row of a bundle, from its file to the verdict: signatures and objects too. */
export interface Verified {
  readonly events: number;
  readonly objects: number;
  /** Events a second of processor time, that of all threads together. */
  readonly ofACore: number;
  /** Events a second by the clock: signatures are verified on other threads meanwhile. */
  readonly byTheClock: number;
  /** What the process held at most while it verified once, and before that, in bytes. */
  readonly peak: number;
  readonly before: number;
}

const maxResident = (): number => process.resourceUsage().maxRSS * 1024;

interface Verification {
  readonly events: number;
  readonly objects: number;
  readonly ofACore: number;
  readonly byTheClock: number;
}

const verifyOnce = async (path: string, logKey: string): Promise<Verification> => {
  const { source, close } = openBundleFile(path);
  const since = performance.now();
  const used = process.cpuUsage();
  const verified = await verifyBundle(source, { logKey }, BUNDLE_PORTS);
  const { user, system } = process.cpuUsage(used);
  const milliseconds = performance.now() - since;
  close();
  if (!verified.ok || verified.value.verdict !== 'PASS')
    throw new Error(`an honest bundle did not pass: ${JSON.stringify(verified).slice(0, 2000)}`);
  const form = verified.value.rows.find(({ row }) => row === 'bundle-form')?.found ?? '';
  const [lines = 0, objects = 0] = (form.match(/\d+/g) ?? []).map(Number);
  const events = lines - objects - 3;
  return {
    ...{ events, objects },
    ofACore: (events * 1e6) / (user + system),
    byTheClock: (events * 1e3) / milliseconds,
  };
};

const [, , path = '', logKey = '', repetitions = ''] = process.argv;
const before = maxResident();
// Once to warm up, as somebody does it who verifies one bundle.
const { events, objects } = await verifyOnce(path, logKey);
const peak = maxResident();
const all: Verification[] = [];
for (let repetition = 0; repetition < Number(repetitions); repetition += 1)
  all.push(await verifyOnce(path, logKey));
const found: Verified = {
  ...{ events, objects, peak, before },
  ofACore: median(all.map(({ ofACore }) => ofACore)),
  byTheClock: median(all.map(({ byTheClock }) => byTheClock)),
};
process.stdout.write(JSON.stringify(found));
