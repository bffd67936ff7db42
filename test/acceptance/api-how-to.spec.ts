import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyExamples, type ExamplesCopy } from '../support/examples.ts';

const PATIENCE = 120_000;
const PAGE = join(import.meta.dirname, '../../docs/how-to/use-the-api.md');
const MAIN = join(import.meta.dirname, '../../dist/apps/cli/src/main.js');

let examples: ExamplesCopy;
beforeAll(async () => {
  examples = await copyExamples();
});
afterAll(() => examples.remove());

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });

/** Runs the page's commands as one script, in a copy of the examples, on a port and a home of its own. */
const runPage = async (): Promise<{ readonly code: number; readonly said: string }> => {
  const page = await readFile(PAGE, 'utf8');
  const blocks = [...page.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block = '']) => block);
  const port = await freePort();
  const script = join(examples.root, 'page.sh');
  const text = blocks
    .map((block, n) => `echo "== ${n}"\n${block}\necho\n`)
    .join('')
    .replaceAll('npx holdfast serve', `exec_holdfast serve --port ${port}`)
    .replaceAll('npx holdfast', 'holdfast')
    .replaceAll('7420', String(port));
  await writeFile(
    script,
    `set -euo pipefail
holdfast() { "${process.execPath}" "${MAIN}" "$@"; }
exec_holdfast() { exec "${process.execPath}" "${MAIN}" "$@"; }
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
${text}`,
  );
  return new Promise((resolve) => {
    execFile(
      'bash',
      [script],
      {
        cwd: examples.root,
        timeout: PATIENCE,
        maxBuffer: 1 << 26,
        env: { PATH: process.env['PATH'], HOLDFAST_HOME: join(examples.root, 'home') },
      },
      (error, stdout, stderr) => {
        resolve({
          code: error === null ? 0 : Number(error.code ?? -1),
          said: `${stdout}\n${stderr}`,
        });
      },
    );
  });
};

describe('the page on the API', () => {
  it(
    'says what happens: its commands run from the first to the last',
    async () => {
      const { code, said } = await runPage();
      const parts = said.split(/^== \d+\n/m).slice(1);
      const of = (start: string): string => parts.find((part) => part.includes(start)) ?? '';
      expect(code, said.slice(-3000)).toBe(0);
      expect(parts[0]).toContain('{"status":"ok"}');
      expect(parts.filter((part) => part.includes('"runId":"pay-1","studyId":"pay"')).length).toBe(
        2,
      );
      expect(of('event: RunHeadSigned')).toMatch(/event: RunRequested[^]*event: end/);
      expect(parts.some((part) => part.trim() === '304')).toBe(true);
      expect(of('"verdict":')).toContain('"verdict":"PASS"');
      expect(of('"verdict":')).toContain('"decision":"accepted"');
      expect(of('train.js')).toContain('hyperparameters.json');
      expect(of('"outcome":"proposed"')).toContain('"remaining":');
      expect(of('urn:holdfast:problem')).toContain('"parameter":"colour"');
    },
    PATIENCE,
  );
});
