import { afterAll, beforeAll, expect, it } from 'vitest';
import { copyExamples, type ExamplesCopy } from '../support/examples.ts';
import { holdfast, jsonLines } from '../support/holdfast.ts';

const PATIENCE = 120_000;

let examples: ExamplesCopy;
beforeAll(async () => {
  examples = await copyExamples();
});
afterAll(() => examples.remove());

interface Event {
  readonly type: string;
  readonly data: { readonly by?: string; readonly message?: string };
}

it.each(['pre-loop', 'mid-loop', 'post-loop'])(
  'the %s gate halts the run of its example, and nothing resumes it',
  async (gate) => {
    const study = `pay/halt-${gate}.yaml`;
    const home = await examples.home(study);
    const runId = `pay-halt-${gate}-1`;
    const ask = (...args: readonly string[]) => holdfast([...args, '--home', home]);
    const said = await ask('run', examples.study(study), '--seed', '1');
    expect(said.exitCode).toBe(1);
    expect(said.stdout).toMatch(
      new RegExp(`^ *SYSTEM HALT: ${gate.toUpperCase()} GATE: .*found .*expected`, 'ms'),
    );
    expect(said.stdout).not.toContain('PASS');

    const events = async () => jsonLines<Event>(await ask('show', runId, '--json'));
    const before = await events();
    const halted = before.findIndex(({ type }) => type === 'RunHalted');
    expect(before[halted]?.data).toMatchObject({
      by: gate,
      message: expect.stringMatching(/^SYSTEM HALT: /),
    });
    // Its head is signed, and that is all that comes after a halt.
    expect(before.slice(halted + 1).map(({ type }) => type)).toEqual(['RunHeadSigned']);

    expect((await ask('run', '--resume')).exitCode).toBe(2);
    expect(await ask('run', '--resume', runId)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('nothing resumes it'),
    });
    expect((await ask('halt', runId, '--reason', 'again')).exitCode).toBe(2);
    expect(await events()).toEqual(before);
  },
  PATIENCE,
);
