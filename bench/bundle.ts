import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Made } from './bundle-making.ts';
import type { Verified } from './bundle-verifying.ts';

export type BundleBench = Verified & Pick<Made, 'bytes'>;

const isSource = import.meta.filename.endsWith('.ts');

/** A process of its own, so that what one holds is not what another one left behind. */
const inProcess = async <T>(
  program: 'bundle-making' | 'bundle-verifying',
  args: readonly string[],
  flags: readonly string[] = [],
): Promise<T> => {
  const child = spawn(
    process.execPath,
    [
      ...(isSource ? ['--conditions=source'] : []),
      ...flags,
      join(import.meta.dirname, `${program}${isSource ? '.ts' : '.js'}`),
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  if (exitCode !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${exitCode}`);
  return JSON.parse(said) as T;
};

/** A bundle of a run of about so many events, verified from its file. */
export const benchBundle = async (wanted: number, repetitions = 3): Promise<BundleBench> => {
  const folder = await mkdtemp(join(tmpdir(), 'bench-bundle-'));
  const path = join(folder, 'bundle');
  try {
    const { key, bytes } = await inProcess<Made>(
      'bundle-making',
      [path, String(wanted)],
      // A run of a million events is made in memory; verifying it takes none of that.
      ['--max-old-space-size=12000'],
    );
    const found = await inProcess<Verified>('bundle-verifying', [path, key, String(repetitions)]);
    return { ...found, bytes };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
