import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '#libs/kernel';
import {
  launch,
  mutate,
  openRun,
  propose,
  recordHalted,
  recordNight,
  recorder,
  replayOf,
  type Attempt,
  type Recorder,
} from '../../../../libs/read-models/src/testing/recorded-run.ts';
import { runPresenter, type RunPresenterOptions } from './run-presenter.ts';
import { widthOf } from './text.ts';

const shown = (
  events: readonly RecordedEvent[],
  options: Partial<RunPresenterOptions> = {},
): string => {
  let text = '';
  const presenter = runPresenter({
    colour: false,
    width: 120,
    live: false,
    write: (more) => (text += more),
    ...options,
  });
  for (const event of events) {
    presenter.event(event);
    if (event.type === 'TrainingLaunched') presenter.trainingProgress({ step: 100, of: 400 });
  }
  presenter.end();
  return text;
};

const recorded = (record: (to: Recorder) => unknown): readonly RecordedEvent[] => {
  const to = recorder();
  record(to);
  return to.events;
};

const night = (): readonly RecordedEvent[] => recorded((to) => recordNight(to));

/** The lines from the one that holds `from` to the one that holds `to`. */
const part = (text: string, from: string, to: string): string => {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.includes(from));
  const end = lines.findIndex((line, index) => index >= start && line.includes(to));
  return `\n${lines.slice(start, end + 1).join('\n')}\n`;
};

describe('a night in a pipe', () => {
  it('opens with what the run stands on', () => {
    expect(part(shown(night()), 'HOLDFAST', 'baseline')).toBe(`
HOLDFAST  High pay, CPS 1988
          Which cohort-level factors go with high pay?

  run          r1, number 1 of study pay, seed 7
  source       commit 61037e9fd303, tree 740aa53c27b3 (program/)
  harness      sha256 e9b5d7dd97bf (the policy; no agent can change it)
  data         sha256 ce8ba0a863ba (data/cps-1988.csv)
  environment  sha256 19da268870ce (node v24.21.0, linux x64, holdfast 0.1.0)
  split key    commitment 987336dd0e6d
  cohorts      312 cells of 13,120 people released; 214 cells below 11 suppressed, 957 people (6.8 %)
  people       train 14,077, dev 7,012, check 2,801, sealed 4,265
  planted      withholding: put into the data on purpose
  budget       150 units; an iteration: hypothesis 5 + hyperparameter 10, feature 20, architecture 25 or metric 10
  monitor      gain (μ₀ 0, k 0.03, h 0.1), gap (μ₀ 0, k 0.5, h 4)
  agent        governed: the search agent runs inside the harness
  gate         pre-loop: 1 check passed
  baseline     log-loss 0.5012 ± 0.0041 (2 trainings by seed, deviation between seeds 0.0002; not charged)
`);
  });

  it('gives each iteration its lines, and a divergence and the halt lines of their own', () => {
    expect(part(shown(night()), '  #  mutation', 'line         ')).toBe(`
  #  mutation                                domain         cost left   log-loss ±se     gain S gain  S gap  decision
  1  features: add education                 feature          25  125  0.4890 ±.0041  +2.43 %  0.000  0.000  ✓ kept
     Pay rises with years of education
  2  hyperparameters: l2 0.01 → 0.1          hyperparameter   15  110  0.4893 ±.0041  −0.06 %  0.000  0.000  · discarded
     A stronger penalty helps thin cells
  3  architecture: linear → mlp(8)           architecture     30   80  crashed: TypeError in model.js:12     ✗ failed
     A hidden layer finds interactions
     proposal of #4 refused (1 in a row): hyperparameters.json does not parse: expected "," at line 3
  4  hyperparameters: steps 400 → 400000     hyperparameter   15   65  did not end within 10 s               ✗ timed out
     More steps converge further
  5  features: add planted withholding       feature          25   40  0.2107 ±.0041  +56.9 % 0.539!  0.000  ↺ diverged
     Planted withholding goes with pay
     ↺ DIVERGENCE  gain 0.539 > h 0.1. Back to the last stable state (tree 740aa53c27b3, log-loss 0.5012); undone: #1
                   features: add education; #5 features: add planted withholding.
  6  features: add experience                feature          25   15  0.4871 ±.0041  +2.81 %  0.000  0.000  ✓ kept
     Experience goes with pay
  7  –                                       –                 5   10  25 asked, 10 left                     – not paid
     Depth adds little

  SYSTEM HALT: MUTATION BUDGET EXHAUSTED (asked 25, left 10)
  The budget's end is the normal end of a run; findings, if any, follow.

  budget       █████████████████████████████████████░░░  140 of 150 spent, 93 % used
  iterations   7: 1 kept and standing, 1 discarded, 2 failed, 1 diverged
  line         log-loss 0.4871, baseline 0.5012 (gain +2.81 %)
`);
  });

  it('ends with the findings, each row of their verdicts, and where to look next', () => {
    expect(part(shown(night()), 'FINDINGS', 'npx holdfast replay')).toBe(`
FINDINGS  scored once on the sealed rows (look 1)

  PASS   Finding 1: the line that stands (r1-f1)
         The 1 kept mutations together (features: add experience): log-loss per person of high pay over everybody in the
         released cells falls by 0.0138 (joint 97.5 % interval 0.0111 to 0.0165; 2.8 %; n = 4103). Look 1 of this study
         at its sealed rows, look 2 at these data over all studies, after 3 runs and 275 units; the intervals of all
         looks hold together.
         ✓ source tree pinned     61037e9fd303 exists
         ✓ charges recompute      140 of 150
         ✓ restore point present  1 of 1
         self-signed, unanchored; all 3 rows hold; proves how it was reached, not that it is true

  BLOCK  Finding 2: one kept step (r1-f2)
         features: add experience: log-loss per person of high pay over everybody in the released cells falls by 0.0138
         (joint 97.5 % interval 0.0111 to 0.0165; 2.8 %; n = 4103). Uses withholding, planted in the data on purpose.
         Look 1 of this study at its sealed rows, look 2 at these data over all studies, after 3 runs and 275 units; the
         intervals of all looks hold together.
         ✗ restore point present  none for mutation 6
                                  expected: one for each kept mutation
         self-signed, unanchored; 2 of 3 rows hold: the finding is discarded
         accepted line taken back to tree 740aa53c27b3

  r1-f1: accepted by a reviewer: (sealed)
  r1-f1: the accepted line now is tree af2fa71733ad

WHERE TO LOOK NEXT
  npx holdfast show r1         the run, iteration by iteration
  npx holdfast audit --run r1  every attempt, restore point and charge
  npx holdfast verify r1-f1    the chain again, row by row
  npx holdfast verify r1-f2    the chain again, row by row
  npx holdfast replay r1-f1    train the pinned tree again and compare
`);
  });

  it('says what came of training a finding again', () => {
    const events = recorded((to) => {
      recordNight(to);
      to.record('finding-r1-f1', replayOf('r1-f1', 'not-reproducible'));
    });
    expect(shown(events)).toContain('\n  r1-f1: trained again for 200 steps: not-reproducible\n');
  });

  it.each([80, 85, 90, 97, 100, 115, 116, 120, 140, 160])(
    'fits %i columns, without any escape code or space at an end',
    (width) => {
      for (const events of [night(), recorded(recordHalted)]) {
        const text = shown(events, { width });
        expect(text).not.toContain('\u001B');
        expect(text).not.toMatch(/[ \u00A0]$/mu);
        for (const line of text.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(width);
      }
    },
  );

  it('leaves out columns where the terminal is narrow, and no words', () => {
    const header = (width: number): string =>
      /^ +#.*$/mu.exec(shown(night(), { width }))?.[0].replace(/\s+/gu, ' ').trim() ?? '';
    expect(header(123)).toBe(
      '# mutation hypothesis domain cost left log-loss ±se gain S gain S gap decision',
    );
    expect(header(106)).toBe('# mutation domain cost left log-loss ±se gain S gain S gap decision');
    expect(header(100)).toBe('# mutation cost left log-loss ±se gain S gain S gap decision');
    expect(header(84)).toBe('# mutation cost left log-loss ±se gain S gain decision');
    expect(header(80)).toBe('# mutation cost left log-loss gain S gain decision');
    const lines = (width: number): string =>
      part(shown(night(), { width }), '  2  hyper', '     proposal of #4');
    expect(lines(80)).toContain(`
  2  hyperparameters: l2          15  110    0.4893  −0.06 %  0.000  · discarded
     0.01 → 0.1
     hyperparameter: A stronger penalty helps thin cells
  3  architecture:                30   80                            ✗ failed
     linear → mlp(8)
     crashed: TypeError in model.js:12
     architecture: A hidden layer finds interactions
`);
    expect(lines(100)).toContain(`
  2  hyperparameters: l2 0.01 → 0.1       15  110  0.4893 ±.0041  −0.06 %  0.000  0.000  · discarded
     hyperparameter: A stronger penalty helps thin cells
  3  architecture: linear → mlp(8)        30   80  crashed: TypeError in model.js:12     ✗ failed
     architecture: A hidden layer finds interactions
`);
  });
});

describe("the harness's own trainings", () => {
  const attempt: Attempt = {
    number: 1,
    statement: 'Experience goes with pay',
    summary: 'features: add experience',
    domain: 'feature',
    from: 'source',
    to: 'c1',
    left: 150,
  };
  const estimate = (value: number) => ({
    name: 'log-loss',
    value,
    standardError: 0.004,
    n: 6800,
  });
  const observation = (value: number, difference: number | null) => ({
    metric: estimate(value),
    auc: null,
    secondary: [],
    difference: difference === null ? null : estimate(difference),
    check: null,
    gapChange: null,
    cells: { scored: 10, suppressed: 0 },
  });
  const launched = (purpose: 'replicate' | 'remeasurement', seed: number) => ({
    trainingId: `t${seed}`,
    purpose,
    mutationId: purpose === 'replicate' ? 'r1-m1' : null,
    tree: 'ab'.repeat(20),
    seed,
    seconds: 10,
  });

  it('have lines of their own, and are no iterations', () => {
    const events = recorded((to) => {
      const stream = openRun(to);
      propose(to, stream, attempt);
      mutate(to, stream, attempt);
      launch(to, stream, attempt);
      to.record(stream, { type: 'TrainingLaunched', data: launched('replicate', 8) });
      to.record(stream, {
        type: 'MetricObserved',
        data: {
          trainingId: 't8',
          purpose: 'replicate',
          mutationId: 'r1-m1',
          observation: observation(0.49, -0.01),
          overSeeds: estimate(-0.02),
          charts: [],
          ladderScore: null,
        },
      });
      to.record(stream, { type: 'TrainingLaunched', data: launched('remeasurement', 9) });
      to.record(stream, {
        type: 'MetricObserved',
        data: {
          trainingId: 't9',
          purpose: 'remeasurement',
          mutationId: null,
          observation: observation(0.5, null),
          overSeeds: null,
          charts: [{ chart: 'stability', x: 1.5, upper: 1, lower: 0, fired: false }],
          ladderScore: null,
        },
      });
      to.record(stream, { type: 'TrainingLaunched', data: launched('remeasurement', 10) });
      to.record(stream, {
        type: 'TrainingTimedOut',
        data: {
          trainingId: 't10',
          seconds: 10,
          durationMs: 10_000,
          artefacts: 'ab'.repeat(20),
          log: { path: 'log.txt', oid: 'ab'.repeat(20), sha256: 'cd'.repeat(32), bytes: 1 },
          isolation: {},
          signature: { keyId: '00112233445566aa', value: '' },
        },
      });
    });
    const text = shown(events);
    expect(text).toContain(
      '#1 trained again with seed 8: gain +2.00 %, over all seeds so far +3.92 %',
    );
    expect(text).toContain(
      'incumbent measured again with seed 9: log-loss 0.5000, 1.500 σ from its centre, S stability 1.000',
    );
    expect(text).toContain(
      'incumbent measured again with seed 10: did not end within 10 s; no observation',
    );
  });
});

describe('a halted run', () => {
  it('says why and where, and that it is over', () => {
    expect(part(shown(recorded(recordHalted)), '  1  hyper', 'npx holdfast audit')).toBe(`
  1  hyperparameters: seed 7 → 8             hyperparameter    5  145  stopped at the mid-loop gate          ■ halted
     Another seed scores better

  SYSTEM HALT: protected parameter "seed" in hyperparameters.json:4
  protected parameter at hyperparameters.json:4
  A halt is final: nothing resumes this run, and it yields no findings.

  budget       █░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  5 of 150 spent, 3 % used
  iterations   1: 0 kept and standing, 0 discarded

WHERE TO LOOK NEXT
  npx holdfast show r1         the run, iteration by iteration
  npx holdfast audit --run r1  every attempt, restore point and charge
`);
  });
});

describe('what agents write', () => {
  const attack: Attempt = {
    number: 1,
    statement: '\u001B[2J\u001B[31mwithholding\u0007 is\nfine',
    summary: '\u001B]0;owned\u0007add withholding',
    domain: 'feature',
    from: 'source',
    to: 'c1',
    left: 150,
  };

  it('reaches the terminal as plain text on lines of ours, and what is planted is called so', () => {
    const events = recorded((to) => {
      const stream = openRun(to);
      propose(to, stream, attack);
      mutate(to, stream, attack);
      to.record(stream, {
        type: 'RunHalted',
        data: {
          by: 'mandate',
          reason: 'said',
          breaches: [],
          mutationId: 'r1-m1',
          message: 'SYSTEM HALT: \u001B[32mall is well',
          note: null,
        },
      });
    });
    const text = shown(events);
    expect(text).not.toContain('\u001B');
    expect(text).toMatch(
      /^ {2}1 {2}add planted withholding +feature .*\n {5}planted withholding is fine\n/mu,
    );
    expect(text).toContain('  SYSTEM HALT: all is well\n');
  });
});

describe('a night on a terminal', () => {
  const first: Attempt = {
    number: 1,
    statement: 'Pay rises with years of education',
    summary: 'add education',
    domain: 'feature',
    from: 'source',
    to: 'k1',
    left: 150,
  };

  it('shows the training under way and the budget on a line that is redrawn', () => {
    const events = recorded((to) => {
      const stream = openRun(to);
      propose(to, stream, first);
      mutate(to, stream, first);
      launch(to, stream, first);
    });
    const text = shown(events, { live: true });
    expect(text).toContain(
      'training #1 add education                █████░░░░░░░░░░░░░░░ 100/400 steps    budget ██░░░░░░░░░░ 125 of 150 left',
    );
    expect(text).toContain('training baseline 2 of 2');
    // Erased at the end.
    expect(text.slice(text.lastIndexOf(' left'))).toContain('\u001B[2K');
  });

  it('prints in colour what it prints without', () => {
    const plain = shown(night());
    const coloured = shown(night(), { colour: true });
    expect(coloured).toContain('\u001B[32m✓ kept\u001B[39m');
    // eslint-disable-next-line no-control-regex
    expect(coloured.replace(/\u001B\[\d+m/gu, '')).toBe(plain);
  });
});
