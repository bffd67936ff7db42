import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inModel } from '../attacks/attack.ts';
import { drawWorld, readCells, transcriptBits } from '../attacks/oracle-game.ts';
import { CELL_SIZES, flatteryOver, ordinary, overWorlds } from '../attacks/oracle.ts';
import { beginSiege, type Siege } from '../attacks/siege.ts';
import { alive } from '../support/processes.ts';

let siege: Siege;
beforeAll(async () => {
  siege = await beginSiege();
});
afterAll(() => siege.close());

const say = (line: string): void => void process.stdout.write(`${line}\n`);

describe('the evaluator as an oracle, at full size', () => {
  it.each([100, 300])('tells little of any cell for a budget of %i', async (total) => {
    const policy = ordinary(siege.board.opened.policy, total);
    const told = await overWorlds(siege, policy, 100, false);
    const raw = await overWorlds(siege, policy, 100, true);
    for (const [who, one] of [
      ['told as agents are', told],
      ['told exact scores', raw],
    ] as const)
      say(
        `budget ${total}, ${who}: ${one.queries.toFixed(0)} attempts, ${one.bits.toFixed(1)} bits, ` +
          `${one.certain.toFixed(2)} counts known for sure, ${one.guessed.toFixed(2)} guessed right ` +
          `(${one.byChance.toFixed(2)} by chance)`,
      );
    expect(told.bits).toBeLessThan(0.5 * told.queries);
    expect(told.bits).toBeLessThan(transcriptBits(policy, Math.LN2));
    expect(told.guessed - told.byChance).toBeLessThan(0.1 * told.queries);
    expect(told.certain).toBeLessThan(0.1 * told.queries);
    expect(raw.certain).toBe(raw.queries);
  });

  it('flatters nobody who submits lucky draws', async () => {
    const policy = ordinary(siege.board.opened.policy, 300);
    const told = await flatteryOver(siege, policy, 400, false);
    const raw = await flatteryOver(siege, policy, 400, true);
    say(
      `log-loss flattered by lucky draws: ${told.toFixed(5)}; with exact scores ${raw.toFixed(5)}`,
    );
    expect(raw).toBeGreaterThan(0.003);
    expect(Math.abs(told)).toBeLessThan(raw / 5);
  });

  it('tells next to nothing of cohorts of any size', async () => {
    const policy = ordinary(siege.board.opened.policy, 100);
    const bitsAt = async (times: number): Promise<number> => {
      let bits = 0;
      for (let seed = 1; seed <= 20; seed += 1)
        bits += (
          await readCells(
            siege.board,
            policy,
            drawWorld(
              seed,
              CELL_SIZES.map((n) => n * times),
            ),
            false,
          )
        ).bits;
      return bits / 20;
    };
    const [small, large] = [await bitsAt(1), await bitsAt(4)];
    say(
      `bits a run of budget 100: ${small.toFixed(2)} of cells as they are, ${large.toFixed(2)} of cells four times as large`,
    );
    // Exact scores tell 16 bits in such a run. Of cohorts so large that a crafted gain is more than noise a keep tells one.
    for (const bits of [small, large]) expect(bits).toBeLessThan(0.5);
  });
});

/** Bombs in every language that the sandbox shows, and ways out of whoever counts them. */
const BOMBS: Readonly<Record<string, (marker: string) => string>> = {
  shell: (m) => `execFileSync('sh', ['-c', 'f() { f | f & }; f; sleep 5; : ${m}']);`,
  'shell in sessions': (m) =>
    `execFileSync('sh', ['-c', 'while :; do setsid sh -c "sleep 30; : ${m}" & done']);`,
  perl: (m) => `execFileSync('perl', ['-e', 'fork while 1; # ${m}']);`,
  'perl, orphaned at once': (m) =>
    `execFileSync('perl', ['-e', 'while (1) { if (!fork) { if (fork) { exit } sleep 30 } } # ${m}']);`,
  'node, detached': (m) =>
    `for (;;) try { spawn(process.execPath, ['-e', 'setTimeout(() => 0, 30000)', '${m}'], { detached: true, stdio: 'ignore' }).on('error', () => 0).unref(); } catch {}`,
  'node, by itself': (m) =>
    `for (;;) try { execFileSync(process.execPath, [process.argv[1], '${m}'], { stdio: 'ignore' }); } catch {}`,
  threads: () =>
    `const { Worker } = await import('node:worker_threads'); for (;;) { try { new Worker('for (;;);', { eval: true }).on('error', () => 0); } catch {} await new Promise((done) => setTimeout(done, 1)); }`,
  'memory with every fork': (m) =>
    `execFileSync('perl', ['-e', 'my $x = "x" x 3e7; while (1) { fork; $x .= "y" } # ${m}']);`,
};

describe('fork bombs', () => {
  it.each(Object.keys(BOMBS))('%s: bounded, ended in time, and nothing is left', async (name) => {
    const { marker } = siege.at(`bomb-${name.replaceAll(/\W/g, '-')}`);
    const bomb = inModel(BOMBS[name]?.(marker) ?? '')(siege.base, siege.at('bomb'));
    const { tree } = await siege.judge(bomb);
    // The harness must answer while the bomb goes off.
    let slowest = 0;
    const end = new AbortController();
    const pulse = (async () => {
      while (!end.signal.aborted) {
        const before = performance.now();
        await wait(20);
        slowest = Math.max(slowest, performance.now() - before);
      }
    })();
    const trained = await siege.train(tree ?? '', 3);
    end.abort();
    await pulse;
    say(
      `${name}: ${trained.end} after ${trained.result?.data.durationMs} ms; the harness's longest pause ${slowest.toFixed(0)} ms`,
    );
    expect(['as-honest', 'crashed', 'timed-out', 'memory-exceeded', 'too-much-output']).toContain(
      trained.end,
    );
    expect(trained.result?.data.durationMs).toBeLessThan(6_000);
    expect(alive(marker)).toEqual([]);
    expect(slowest).toBeLessThan(3_000);
    // The next one trains as if nothing had been.
    expect((await siege.train(siege.baseTree)).end).toBe('as-honest');
  });
});
