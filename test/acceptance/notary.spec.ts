import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { copyExamples, type ExamplesCopy } from '../support/examples.ts';
import { git } from '../support/git.ts';
import { holdfast, jsonLines } from '../support/holdfast.ts';

const PATIENCE = 240_000;
const STUDY = 'pay/halt-pre-loop.yaml';

let examples: ExamplesCopy;
let home: string;
beforeAll(async () => {
  examples = await copyExamples();
  home = await examples.home(STUDY);
});
afterAll(() => examples.remove());

const ask = (args: readonly string[], env = {}) => holdfast([...args, '--home', home], { env });
const notary = (...args: readonly string[]) => ask(['notary', ...args]);

it(
  'the log is signed at the end of a run, by a key that an auditor can be given; what is changed afterwards raises the alarm',
  async () => {
    const run = await ask(['run', examples.study(STUDY), '--seed', '1']);
    expect(run).toMatchObject({ exitCode: 1, stderr: '' });
    expect(run.stdout).toMatch(/log signed: \d+ events of holdfast\/[0-9a-f]{16}\n$/);

    const [status] = jsonLines<{ checkpoint: { size: number; root: string } }>(
      await notary('status', '--json'),
    );
    const { size } = status!.checkpoint;
    const vkey = (await notary('key')).stdout.trim();
    expect(vkey).toMatch(/^holdfast\/[0-9a-f]{16}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/);
    expect((await notary('status')).stdout).toContain(vkey);
    expect((await notary('seal')).stdout).toBe(
      `nothing came since the checkpoint of ${size} events of ${vkey.split('+')[0]!}\n`,
    );

    // A remote that comes later is given what was signed before.
    const bare = join(examples.root, 'remote.git');
    git(examples.root, 'init', '--bare', '-q', bare);
    const anchored = await ask(['notary', 'seal', '--json'], { HOLDFAST_ANCHOR_REMOTE: bare });
    expect(jsonLines(anchored)[0]).toMatchObject({ anchors: [{ kind: 'git-tag', problem: null }] });
    expect(git(bare, 'tag', '--list')).toMatch(new RegExp(`^holdfast/[0-9a-f]{16}/${size}$`));

    const old = await readFile(join(home, 'keys/notary.pem'), 'utf8');
    const rotated = await notary('rotate', '--json');
    const [{ to } = { to: '' }] = jsonLines<{ to: string }>(rotated);
    expect((await notary('key')).stdout.trim()).toBe(to);
    expect(await readFile(join(home, 'keys/notary.pem'), 'utf8')).not.toBe(old);
    expect(await ask(['notary', 'seal'], { HOLDFAST_NOTARY_KEY: old })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('rotate') as string,
    });

    expect((await notary('settle', '1', '--reason', 'none')).exitCode).toBe(2);
    const database = new DatabaseSync(join(home, 'log.sqlite'));
    database.exec(
      "UPDATE events SET canonical = CAST(replace(CAST(canonical AS TEXT), 'pay', 'bay') AS BLOB) WHERE stream LIKE 'run-%' AND revision = 0",
    );
    database.close();
    const alarmed = await notary('seal', '--json');
    expect(alarmed.exitCode).toBe(1);
    expect(jsonLines(alarmed)[0]).toMatchObject({ error: { code: 'notary-alarm' } });
    const shown = await notary('status');
    expect(shown).toMatchObject({ exitCode: 1 });
    expect(shown.stdout).toMatch(/ALARM {3}not-decided/);
    const [, alarm = ''] = /notary settle (\d+) --reason/.exec(shown.stdout) ?? [];
    const accepting = ['--accept', 'ab'.repeat(32), '--reason', 'looked at'];
    expect(await notary('settle', alarm, ...accepting)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('no append that could be accepted') as string,
    });
    expect((await notary('settle', alarm, '--reason', 'looked at')).exitCode).toBe(0);
    expect((await notary('seal')).exitCode).toBe(1);
  },
  PATIENCE,
);

it(
  'a log that nobody signed says so',
  async () => {
    const empty = await examples.home(STUDY);
    await holdfast(['workers', 'list', '--home', empty]);
    expect(await holdfast(['notary', 'key', '--home', empty])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('nobody signed') as string,
    });
    expect((await holdfast(['notary', 'seal', '--home', empty])).stdout).toContain('no events');
    expect(await holdfast(['notary', 'status', '--home', empty])).toMatchObject({ exitCode: 0 });
  },
  PATIENCE,
);
