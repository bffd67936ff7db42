import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alive } from '../support/processes.ts';
import type { Family, ProgramAttack, TreeAttack } from './attack.ts';
import { BATTERY } from './battery.ts';
import { deserved, type Trained } from './post.ts';
import { beginSiege, type Siege } from './siege.ts';

const PATIENCE = 120_000;
const SETTLE_MS = 500;
const SLACK_MS = 2_000;
const AS_ROOT = process.geteuid?.() === 0;

/** Runs the attacks of some families, each for real: at the gate, without the gate, and bare. */
export const besiege = (...families: readonly Family[]): void => {
  let siege: Siege;
  let begun = false;
  beforeAll(async () => {
    siege = await beginSiege();
    begun = true;
  }, PATIENCE);
  /** What happened, a line an attack: printed at the end. */
  const happened = new Map<string, string[]>();
  const note = (id: string, what: string): void => {
    happened.set(id, [...(happened.get(id) ?? []), what]);
  };
  afterAll(async () => {
    for (const { id, tries, stoppedBy } of attacks)
      process.stdout.write(
        `${[id, tries, `stopped by: ${stoppedBy}`, ...(happened.get(id) ?? ['not run'])].join(' | ')}\n`,
      );
    if (begun) await siege.close();
  }, PATIENCE);

  const attacks = BATTERY.filter(({ family }) => families.includes(family)).map(
    ({ attack }) => attack,
  );
  const programs = attacks.filter((attack) => attack.kind === 'program');
  const trees = attacks.filter((attack) => attack.kind === 'tree');
  const scenarios = attacks.filter((attack) => attack.kind === 'scenario');

  const look = () => ({ connections: siege.connections(), host: siege.hostState() });

  /** Whatever it was after: no canary came out, nobody was called, nothing lives on, no host file changed. */
  const expectNothingTaken = (
    trained: Trained,
    marker: string,
    before: ReturnType<typeof look>,
  ): void => {
    expect(siege.canariesIn(trained.out)).toEqual([]);
    expect(alive(marker)).toEqual([]);
    expect(look()).toEqual(before);
  };

  /** Time is bounded by the harness, with some slack for the machine that it shares. */
  const expectBounded = ({ result }: Trained, seconds: number | undefined): void => {
    const limit = seconds ?? siege.study.policy.training.seconds;
    expect(result?.data.durationMs ?? 0).toBeLessThan(1000 * limit + SLACK_MS);
  };

  /** The evaluator's score is the one that these predictions deserve, counted anew; where they are the honest ones, theirs. */
  const expectDeserved = ({ end, predictions, observation }: Trained): void => {
    if (observation === null) return;
    const { dev } = siege.study.vault.counts;
    const { minimumCell } = siege.study.policy.data;
    expect(observation.metric.value).toBeCloseTo(
      deserved(predictions ?? '', dev.cells, minimumCell),
      10,
    );
    if (end === 'as-honest') expect(observation.metric).toEqual(siege.honest.observation?.metric);
  };

  /** Trains a tree whatever the gate said of it: however it ends, the attack gained nothing. */
  const expectHeld = async (
    { id, ends }: ProgramAttack | TreeAttack,
    tree: string,
    seconds?: number,
  ): Promise<void> => {
    const before = look();
    const trained = await siege.train(tree, seconds);
    note(id, `without it: ${trained.end}`);
    expect(ends, trained.out.slice(0, 2000)).toContain(trained.end);
    expectNothingTaken(trained, siege.at(id).marker, before);
    expectDeserved(trained);
    expectBounded(trained, seconds);
  };

  if (programs.length > 0)
    describe.each(programs)('$id', (attack: ProgramAttack) => {
      const at = () => siege.at(attack.id);
      const edits = () => attack.edits(siege.base, at());

      it(
        `is stopped by: ${attack.stoppedBy}`,
        async () => {
          const judged = await siege.judge(edits());
          note(attack.id, `gate: ${judged.verdict} ${judged.why.slice(0, 80)}`);
          if (attack.atGate !== 'may halt')
            expect(judged, judged.why).toMatchObject({ verdict: attack.atGate });
          else expect(judged.tree, judged.why).not.toBeNull();
          if (judged.tree === null) return;
          for (let time = 0; time < (attack.times ?? 1); time += 1)
            await expectHeld(attack, judged.tree, attack.seconds);
        },
        PATIENCE,
      );

      if (typeof attack.bare !== 'string' || (attack.bareAsRoot === true && !AS_ROOT)) return;
      const success = attack.bare;
      it(
        'is real: with nothing to hold it, it succeeds',
        async () => {
          const before = look();
          let out = '';
          for (let time = 0; time < (attack.times ?? 1); time += 1)
            out = await siege.bare(edits(), attack.late === true ? SETTLE_MS : 0);
          const left = alive(at().marker);
          left.forEach((pid) => process.kill(pid, 'SIGKILL'));
          const after = look();
          const signs = {
            takes: siege.canariesIn(out).length > 0,
            connects: after.connections > before.connections,
            outlives: left.length > 0,
            writes: after.host !== before.host,
          };
          expect(signs[success], out.slice(0, 2000)).toBe(true);
          note(attack.id, `bare: ${success}`);
        },
        PATIENCE,
      );
    });

  if (trees.length > 0)
    describe.each(trees)('$id', (attack) => {
      it(
        `is stopped by: ${attack.stoppedBy}`,
        async () => {
          const judged = await siege.judgeTree(attack);
          note(attack.id, `gate: ${judged.verdict} ${judged.why.slice(0, 80)}`);
          expect(['halts', 'refuses'], judged.why).toContain(judged.verdict);
          if (judged.tree !== null) await expectHeld(attack, judged.tree);
        },
        PATIENCE,
      );
    });

  if (scenarios.length > 0)
    describe.each(scenarios)('$id', (attack) => {
      it(
        `is stopped by: ${attack.stoppedBy}`,
        async () => {
          await attack.play(siege);
          note(attack.id, attack.evidence);
        },
        PATIENCE,
      );
    });
};
