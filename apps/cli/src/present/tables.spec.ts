import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openReadModels, type ReadModels } from '#libs/read-models';
import {
  recordHalted,
  recordNight,
  recorder,
} from '../../../../libs/read-models/src/testing/recorded-run.ts';
import { styleOf } from './style.ts';
import { auditTable, chargesTable, findingsTable, restoreTable, runsTable } from './tables.ts';
import { widthOf } from './text.ts';

const style = styleOf({ colour: false, width: 120 });
const planted = ['withholding'];

let folder: string;
let views: ReadModels;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-tables-'));
  views = await openReadModels(join(folder, 'views.sqlite'));
  const to = recorder();
  recordNight(to);
  recordHalted(to, { runId: 'r2', number: 2 });
  await views.catchUp({
    async *readAll({ after = -1 } = {}) {
      yield* to.events.filter((event) => event.position > after);
    },
  });
});

afterAll(async () => {
  await views.close();
  rmSync(folder, { recursive: true });
});

describe('tables', () => {
  it('of runs', async () => {
    expect(`\n${runsTable(style, (await views.runs()).rows)}\n`).toBe(`
study  no  run  status  opened (UTC)      iter  kept    spent  log-loss         findings
pay     1  r1   closed  2026-11-09 22:00     7     1  140/150  0.5012 → 0.4871  1 PASS, 1 BLOCK
pay     2  r2   halted  2026-11-09 22:01     1     0    5/150  0.5012 → 0.5012  –
`);
  });

  it('of the cutover audit', async () => {
    const { rows } = await views.cutoverAudit({ domain: 'feature' });
    expect(`\n${auditTable(style, rows, planted)}\n`).toBe(`
run  #  when (UTC)      who    what                       why           domain   cost  from   log-loss     z  decision
  1  1  11-09 22:00:12  agent  features: add education    Pay rises w…  feature    20  r1-p1    0.4890  13.6  ↺ undone
  1  5  11-09 22:00:57  agent  features: add planted wi…  Planted wit…  feature    20  r1-p5    0.2107     –  ↺ diverged
  1  6  11-09 22:01:09  agent  features: add experience   Experience…   feature    20  r1-p6    0.4871  13.6  ✓ kept
`);
  });

  it('of restore points', async () => {
    const { rows } = await views.restoreSource({ mutation: 'r1-m1' });
    expect(`\n${restoreTable(style, rows)}\n`).toBe(`
run  restore point  when (UTC)           commit        tree          log-loss  monitor           left
  1  r1-p1          2026-11-09 22:00:15  61037e9fd303  740aa53c27b3    0.5012  gain 0.000/0.000   125
`);
  });

  it('of charges', async () => {
    const { rows } = await views.charges({ limit: 2 });
    expect(`\n${chargesTable(style, rows, planted)}\n`).toBe(`
run  when (UTC)           type        cost  left  description
  1  2026-11-09 22:00:11  hypothesis     5   145  Hypothesis 1
  1  2026-11-09 22:00:14  feature       20   125  features: add education
`);
  });

  it('of findings', async () => {
    const { rows } = await views.findings({ verdict: 'BLOCK' });
    expect(`\n${findingsTable(style, rows)}\n`).toBe(`
verdict  finding  run  kind  estimate  interval           gain      n  changes                   review
BLOCK    r1-f2      1  step    0.0138  0.0111 to 0.0165  2.8 %  4,103  features: add experience  none
`);
  });

  it('fit the width, and say so when there is nothing', async () => {
    const narrow = styleOf({ colour: false, width: 110 });
    const text = auditTable(narrow, (await views.cutoverAudit()).rows, planted);
    expect(Math.max(...text.split('\n').map(widthOf))).toBeLessThanOrEqual(110);
    expect(runsTable(style, [])).toBe('No runs yet: start one with "holdfast run".');
  });
});
