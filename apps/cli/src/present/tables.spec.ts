import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openReadModels, type ReadModels, type RestorePointRow } from '#libs/read-models';
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
  views = await openReadModels({ kind: 'sqlite', path: join(folder, 'views.sqlite') });
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
run  #  when (UTC)      who    what                      why            domain   edit  from   log-loss     z  decision
r1   1  11-09 22:00:13  agent  features: add education   Pay rises wi…  feature    20  r1-p1    0.4890  13.6  ↺ undone
r1   5  11-09 22:00:58  agent  features: add planted     Planted with…  feature    20  r1-p5    0.2107     –  ↺ diverged
                               withholding
r1   6  11-09 22:01:10  agent  features: add experience  Experience g…  feature    20  r1-p6    0.4871  13.6  ✓ kept

edit: what the edit itself cost; its hypothesis is charged beside it (--ledger charges)
`);
  });

  it('of restore points', async () => {
    const { rows } = await views.restoreSource({ mutation: 'r1-m1' });
    expect(`\n${restoreTable(style, rows)}\n`).toBe(`
run  restore point  when (UTC)      commit    tree      log-loss  monitor  left
r1   r1-p1          11-09 22:00:16  61037e9f  740aa53c    0.5012  gain 0    125
`);
  });

  it('of charges', async () => {
    const { rows } = await views.charges({ limit: 2 });
    expect(`\n${chargesTable(style, rows, planted)}\n`).toBe(`
run  when (UTC)      type        cost  left  description
r1   11-09 22:00:12  hypothesis     5   145  Hypothesis 1
r1   11-09 22:00:15  feature       20   125  features: add education
`);
  });

  it('of findings', async () => {
    const { rows } = await views.findings({ verdict: 'BLOCK' });
    expect(`\n${findingsTable(style, rows)}\n`).toBe(`
verdict  finding  kind  estimate  interval           gain      n             look  changes                   review
BLOCK    r1-f2    step    0.0138  0.0111 to 0.0165  2.8 %  4,103  1 (3 runs, 275)  features: add experience  none
`);
  });

  it.each([80, 100, 120])('fit %i columns, without a space at an end', async (width) => {
    const narrow = styleOf({ colour: false, width });
    const texts = [
      runsTable(narrow, (await views.runs()).rows),
      auditTable(narrow, (await views.cutoverAudit()).rows, planted),
      restoreTable(narrow, withLongIds((await views.restoreSource()).rows)),
      chargesTable(narrow, (await views.charges()).rows, planted),
      findingsTable(narrow, (await views.findings()).rows),
    ];
    for (const text of texts) {
      expect(text).not.toMatch(/ $/mu);
      for (const line of text.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(width);
    }
    expect(texts[2]).toContain(` ${RESTORE_POINT} `.trimStart());
    expect(texts[2]).toContain('gain 0.076  gap 0');
  });

  it('say so when there is nothing', () => {
    expect(runsTable(style, [])).toBe('No runs yet: start one with "npx holdfast run".');
    expect(auditTable(style, [], planted)).toBe('No attempts match.');
  });
});

const RESTORE_POINT = 'dff777e0-9573-59f2-a9ad-f43f14b10f60';

/** As a real log holds them: a whole id, two charts. */
const withLongIds = (rows: readonly RestorePointRow[]): readonly RestorePointRow[] =>
  rows.map((row) => ({
    ...row,
    restorePointId: RESTORE_POINT,
    monitor: [
      { chart: 'gain', upper: 0.076, lower: 0 },
      { chart: 'gap', upper: 0, lower: 0 },
    ],
  }));
