import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { formatVerifierKey } from '#libs/checkpoints';
import { verifyBundle } from '#libs/bundle';
import { BUNDLE_PORTS, openBundleFile } from '../apps/runner/src/proving/bundle-files.ts';
import {
  bundleOf,
  logSigner,
  usualFacts,
  witnessSigner,
} from '../libs/bundle/src/testing/fixture.ts';
import { sealed } from '../libs/provenance/src/testing/honest-run.ts';
import { longRun, makeWorkshop } from './long-run.ts';
import { median } from './median.ts';

export interface BundleBench {
  readonly events: number;
  readonly objects: number;
  readonly bytes: number;
  /** Events a second, every row: from the file to the verdict, signatures and objects too, on one core. */
  readonly verified: number;
  /** What a process that does nothing else held at most, in bytes. */
  readonly peak: number;
}

interface Made {
  readonly key: string;
  readonly bytes: number;
}

/** Makes the bundle of a run of about so many events, as a log holds it. */
const make = async (path: string, wanted: number): Promise<Made> => {
  const workshop = makeWorkshop();
  const honest = longRun(workshop, wanted);
  const { events, studyEvents, dataEvents, findingEvents } = sealed(workshop, honest);
  // Only the order counts; what is fixed for the data stands before the run.
  const ordered = [
    ...dataEvents.filter(({ type }) => type !== 'LookCounted'),
    ...events,
    ...studyEvents,
    ...dataEvents.filter(({ type }) => type === 'LookCounted'),
    ...findingEvents,
  ].map((event, position) => ({ ...event, position }));
  const log = logSigner();
  const { bytes } = await bundleOf(
    { events: ordered, readObject: honest.git.readObject },
    { kind: 'finding', id: honest.findingId },
    usualFacts(ordered, log, witnessSigner()),
  );
  const file = await open(path, 'w');
  await file.writeFile(bytes);
  await file.close();
  return { key: formatVerifierKey(log.key), bytes: bytes.length };
};

type Verified = Pick<BundleBench, 'events' | 'objects' | 'verified' | 'peak'>;

const verify = async (path: string, key: string, repetitions: number): Promise<Verified> => {
  const { source, close } = openBundleFile(path);
  const speeds: number[] = [];
  let [events, objects] = [0, 0];
  // Repetition 0 warms up.
  for (let repetition = 0; repetition <= repetitions; repetition += 1) {
    const since = performance.now();
    const verified = await verifyBundle(source, { logKey: key }, BUNDLE_PORTS);
    if (!verified.ok || verified.value.verdict !== 'PASS')
      throw new Error(`an honest bundle did not pass: ${JSON.stringify(verified).slice(0, 2000)}`);
    const form = verified.value.rows.find(({ row }) => row === 'bundle-form')?.found ?? '';
    const [lines = 0, found = 0] = (form.match(/\d+/g) ?? []).map(Number);
    [events, objects] = [lines - found - 3, found];
    speeds.push((events * 1000) / (performance.now() - since));
  }
  close();
  const peak = process.resourceUsage().maxRSS * 1024;
  return { events, objects, peak, verified: median(speeds.slice(1)) };
};

/** A process of its own, so that what one holds is not what another one left behind. */
const inProcess = async <T>(...args: readonly string[]): Promise<T> => {
  const isSource = import.meta.filename.endsWith('.ts');
  const child = spawn(
    process.execPath,
    [
      ...(isSource ? ['--conditions=source'] : []),
      // A run of a million events is made in memory; verifying it takes none of that.
      ...(args[0] === 'make' ? ['--max-old-space-size=12000'] : []),
      import.meta.filename,
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  if (exitCode !== 0) throw new Error(`${args.join(' ')} ended with ${exitCode}`);
  return JSON.parse(said) as T;
};

/** A bundle of a run of about so many events, verified from its file. */
export const benchBundle = async (wanted: number, repetitions = 3): Promise<BundleBench> => {
  const folder = await mkdtemp(join(tmpdir(), 'bench-bundle-'));
  const path = join(folder, 'bundle');
  try {
    const { key, bytes } = await inProcess<Made>('make', path, String(wanted));
    const found = await inProcess<Verified>('verify', path, key, String(repetitions));
    return { ...found, bytes };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const [, main, part, path = '', ...rest] = process.argv;
if (main === import.meta.filename && part === 'make')
  process.stdout.write(JSON.stringify(await make(path, Number(rest[0]))));
if (main === import.meta.filename && part === 'verify')
  process.stdout.write(JSON.stringify(await verify(path, rest[0] ?? '', Number(rest[1]))));
