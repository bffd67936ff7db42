import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Shown } from '#apps/runner';
import { openReadModels, type AuditRow, type ReadModels } from '#libs/read-models';
import {
  recordHalted,
  recordNight,
  recorder,
} from '../../../../libs/read-models/src/testing/recorded-run.ts';
import {
  accessTable,
  asOfLine,
  changesTable,
  findingsAtTable,
  incidentLines,
  reviewsTable,
  traceLines,
} from './audit.ts';
import { styleOf } from './style.ts';
import { widthOf } from './text.ts';

const planted = ['withholding'];

let folder: string;
let views: ReadModels;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-audit-'));
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

/** Rows as they are where no key is left. */
const erased = <Row extends AuditRow>(rows: readonly Row[]): readonly Shown<Row>[] =>
  rows.map((row) => ({ ...row, note: row.note === null ? null : '(erased)' }));

/** All that a regulator can be shown of the recorded night, in a terminal of so many columns. */
const shown = async (width: number): Promise<Record<string, string>> => {
  const style = styleOf({ colour: false, width });
  const changes = await views.changes();
  const trace = await views.trace({ event: 'r1-f1', depth: 50 });
  const cut = await views.trace({ event: 'r1-f1', depth: 1 });
  return {
    changes: changesTable(style, erased(changes.rows), planted),
    access: accessTable(style, erased((await views.accesses()).rows), planted),
    incidents: incidentLines(style, erased((await views.incidents()).rows), planted).join('\n'),
    findings: findingsAtTable(style, (await views.findingsAt()).rows, planted),
    reviews: reviewsTable(style, erased((await views.reviews()).rows), planted),
    trace: traceLines(style, trace, planted).join('\n'),
    cut: traceLines(style, cut, planted).join('\n'),
    asOf: asOfLine(changes.asOf),
  };
};

describe('what a regulator is shown', () => {
  it.each([80, 100, 160])('fits into %d columns', async (width) => {
    for (const [name, text] of Object.entries(await shown(width)))
      for (const line of text.split('\n'))
        expect(widthOf(line), `${name}: ${line}`).toBeLessThanOrEqual(width);
  });

  it('calls what was planted so, whoever speaks of it', async () => {
    for (const text of Object.values(await shown(160)))
      expect(text).not.toMatch(/(?<!planted )withholding/i);
  });

  it('says who approved what, and – where a rule alone decided', async () => {
    const { changes } = await shown(160);
    expect(changes).toMatch(/kept +features: add experience .*v-1, r1-f1/);
    expect(changes).toMatch(/kept +features: add education .* – +run-r1@\d+$/m);
    expect(changes).toContain('r2 against the run before it: the same pins, the same policy');
  });

  it('says what was kept back, and how often each access was', async () => {
    const { access } = await shown(100);
    expect(access).toMatch(/cohorts-released .*13,120 +957 /);
    expect(access).toMatch(/2 cohorts-released, .*2 claim-released/);
  });

  it('has each incident with its evidence below it', async () => {
    const { incidents } = await shown(100);
    expect(incidents).toContain('hyperparameters.json:4, protected parameter: found "seed": 8');
    expect(incidents).toContain('gain x 0.569, S+ 0.539, S- 0.000, fired');
    expect(incidents).toContain('undone: features: add education (r1-m1)');
  });

  it('has findings with their standing, and reviews with the verdict of then', async () => {
    const { findings, reviews } = await shown(100);
    expect(findings).toMatch(/^yes +r1-f1 +accepted +PASS/m);
    expect(findings).toMatch(/^no +r1-f2 +discarded +BLOCK/m);
    expect(reviews).toMatch(/r1-f1 +accepted +reviewer v-1 +PASS .*\(erased\)/);
  });

  it('draws each event of a trace once, and says where it was cut off', async () => {
    const { trace = '', cut } = await shown(100);
    const places = trace.match(/(?<= )[\w-]+@\d+$/gm) ?? [];
    expect(new Set(places).size).toBe(places.length);
    expect(trace).toContain(`${places.length} events`);
    expect(trace).not.toContain('--depth');
    expect(cut).toContain('a greater --depth shows it');
  });

  it('says how far it is good, also of an empty log', async () => {
    expect((await shown(100))['asOf']).toMatch(
      /^As of log position \d+ \(2026-11-09 22:\d\d:\d\d UTC\)/,
    );
    expect(asOfLine(null)).toBe('The log is empty.');
  });
});
