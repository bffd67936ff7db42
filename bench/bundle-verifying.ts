/** Verifies a bundle again and again, in a process that has loaded nothing else. Started by bundle.ts. */
import { performance } from 'node:perf_hooks';
import { verifyBundle } from '#libs/bundle';
import { verify as verifyHere } from '#libs/signatures';
import { BUNDLE_PORTS, openBundleFile } from '../apps/runner/src/proving/bundle-files.ts';
import { median } from './median.ts';

export interface Verified {
  readonly events: number;
  readonly objects: number;
  /** Events a second, every row: from the file to the verdict, signatures and objects too, all of it on one thread. */
  readonly onOneThread: number;
  /** The same as `holdfast verify` does it: signatures on threads beside. */
  readonly signaturesBeside: number;
  /** What the process held at most after verifying once, and before it began, in bytes. */
  readonly peak: number;
  readonly before: number;
}

const maxResident = (): number => process.resourceUsage().maxRSS * 1024;

const [, , path = '', logKey = '', repetitions = ''] = process.argv;
const before = maxResident();
const { source, close } = openBundleFile(path);

const eventsAndObjects = async (
  ports: typeof BUNDLE_PORTS,
): Promise<readonly [events: number, objects: number]> => {
  const verified = await verifyBundle(source, { logKey }, ports);
  if (!verified.ok || verified.value.verdict !== 'PASS')
    throw new Error(`an honest bundle did not pass: ${JSON.stringify(verified).slice(0, 2000)}`);
  const form = verified.value.rows.find(({ row }) => row === 'bundle-form')?.found ?? '';
  const [lines = 0, objects = 0] = (form.match(/\d+/g) ?? []).map(Number);
  return [lines - objects - 3, objects];
};

const speedOf = async (ports: typeof BUNDLE_PORTS): Promise<number> => {
  const since = performance.now();
  const [events] = await eventsAndObjects(ports);
  return (events * 1000) / (performance.now() - since);
};

// Once to warm up, as somebody does it who verifies one bundle.
const [events, objects] = await eventsAndObjects(BUNDLE_PORTS);
const peak = maxResident();
const oneThread: number[] = [];
const beside: number[] = [];
for (let repetition = 0; repetition < Number(repetitions); repetition += 1) {
  oneThread.push(await speedOf({ ...BUNDLE_PORTS, verifySignature: verifyHere }));
  beside.push(await speedOf(BUNDLE_PORTS));
}
close();
const found: Verified = {
  ...{ events, objects, peak, before },
  ...{ onOneThread: median(oneThread), signaturesBeside: median(beside) },
};
process.stdout.write(JSON.stringify(found));
