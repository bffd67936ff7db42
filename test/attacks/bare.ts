import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { FileEdit } from '#libs/agents';
import type { Release } from '#libs/vault';

/**
 * Runs a patched program without a sandbox and gives all that came out of it; what it leaves behind has `settleMs` to
 * act. The rows are open at descriptor 3, as if the harness had left them so across an exec.
 */
export const runBare = async (
  folder: string,
  program: string,
  rowsFile: string,
  release: Release,
  edits: readonly FileEdit[],
  settleMs: number,
): Promise<string> => {
  const rows = openSync(rowsFile, 'r');
  await rm(folder, { recursive: true, force: true });
  for (const name of ['task', 'data', 'out']) await mkdir(join(folder, name), { recursive: true });
  await cp(program, join(folder, 'program'), { recursive: true });
  for (const { path, content } of edits) await writeFile(join(folder, 'program', path), content);
  await writeFile(join(folder, 'data/train.csv'), release.table);
  await writeFile(join(folder, 'data/cells.csv'), release.cells);
  await writeFile(
    join(folder, 'task/task.json'),
    JSON.stringify({ seed: 1, seconds: 5, steps: null }),
  );
  const child = spawn(process.execPath, [join(folder, 'program/train.js'), folder], {
    cwd: join(folder, 'out'),
    // As if the harness had left the rows open across an exec.
    stdio: ['ignore', 'pipe', 'pipe', rows],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr] as const)
    stream?.on('data', (chunk: Buffer) => {
      if (said.length < 1 << 20) said += chunk.toString();
    });
  const ended = new Promise<void>((done) => child.on('exit', () => done()));
  await Promise.race([ended, wait(5_000)]);
  child.kill('SIGKILL');
  closeSync(rows);
  await wait(settleMs);
  const left = await readdir(join(folder, 'out'));
  const texts = await Promise.all(
    left.map((name) => readFile(join(folder, 'out', name), 'utf8').catch(() => '')),
  );
  const task = await readFile(join(folder, 'task/task.json'), 'utf8');
  const table = await readFile(join(folder, 'data/train.csv'), 'utf8');
  return [said, ...texts, task, table].join('\n');
};
