import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BATTERY } from './battery.ts';
import type { ProgramAttack, Scenario, TreeAttack } from './attack.ts';
import { beginSiege, deserved, type Siege, type Trained } from './siege.ts';

const PATIENCE = 120_000;

let siege: Siege;
beforeAll(async () => {
  siege = await beginSiege();
}, PATIENCE);
afterAll(() => siege.close());

const programs = BATTERY.flatMap(({ attack }) => (attack.kind === 'program' ? [attack] : []));

/** That nothing came of it, whatever it was after: no canary came out, nobody was called, nothing lives, no file changed. */
const expectNothingTaken = (trained: Trained, marker: string, before: Before): void => {
  expect(siege.canariesIn(trained.out)).toEqual([]);
  expect(siege.connections()).toBe(before.connections);
  expect(siege.alive(marker)).toEqual([]);
  expect(siege.hostState()).toBe(before.host);
};

interface Before {
  readonly connections: number;
  readonly host: string;
}
const before = (): Before => ({ connections: siege.connections(), host: siege.hostState() });

const expectDeserved = ({ predictions, observation }: Trained): void => {
  const { dev } = siege.study.vault.counts;
  expect(observation?.metric.value).toBeCloseTo(
    deserved(predictions ?? '', dev.cells, siege.study.policy.data.minimumCell),
    10,
  );
};

describe('the battery', () => {
  it('names every attack once', () => {
    const ids = BATTERY.map(({ attack }) => attack.id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe.each(programs)('$id', (attack: ProgramAttack) => {
  const at = () => siege.at(attack.id);
  const edits = () => attack.edits(siege.base, at());

  it(
    `is stopped by: ${attack.stoppedBy}`,
    async () => {
      const judged = await siege.judge(edits());
      if (attack.atGate !== 'may halt') expect(judged.verdict).toBe(attack.atGate);
      else expect(['halts', 'passes']).toContain(judged.verdict);
      if (judged.tree === null) return;
      for (let time = 0; time < (attack.times ?? 1); time += 1) {
        const was = before();
        const trained = await siege.train(judged.tree, attack.seconds);
        expect(attack.ends, trained.out.slice(0, 2000)).toContain(trained.end);
        expectNothingTaken(trained, at().marker, was);
        if (trained.observation !== null) expectDeserved(trained);
        if (trained.end === 'as-honest')
          expect(trained.observation?.metric).toEqual(siege.honest.observation?.metric);
      }
    },
    PATIENCE,
  );
});

describe.each(programs.filter(({ bare }) => typeof bare === 'string'))(
  '$id, bare',
  (attack: ProgramAttack) => {
    it(
      'is real: with nothing to hold it, it succeeds',
      async () => {
        const was = before();
        const { marker } = siege.at(attack.id);
        let out = '';
        for (let time = 0; time < (attack.times ?? 1); time += 1)
          out = await siege.bare(attack.edits(siege.base, siege.at(attack.id)));
        const left = siege.alive(marker);
        left.forEach((pid) => process.kill(pid, 'SIGKILL'));
        const signs = {
          takes: siege.canariesIn(out).length > 0,
          connects: siege.connections() > was.connections,
          outlives: left.length > 0,
          writes: siege.hostState() !== was.host,
        };
        expect(signs[attack.bare as keyof typeof signs], out.slice(0, 2000)).toBe(true);
      },
      PATIENCE,
    );
  },
);
