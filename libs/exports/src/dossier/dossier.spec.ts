import { describe, expect, it } from 'vitest';
import type { Fact } from '#libs/kernel';
import type { HonestRun } from '../../../provenance/src/testing/honest-run.ts';
import { eventsOf, placeOf, type FindingEvidence } from '../evidence.ts';
import { dossierOf } from './dossier.ts';
import { reportHtml } from './html.ts';
import { modelCardOf } from './model-card.ts';
import { reportPdf } from './pdf.ts';
import type { Block, Report, Section, Text } from './report.ts';
import { REPLAYED, VERIFIED } from '../testing/evidence.ts';
import { ACCEPTED, BLOCKED, evidenceOf, verified } from '../testing/honest-evidence.ts';

const REPORTS = [
  ['dossier', dossierOf],
  ['model card', modelCardOf],
] as const;

const sectionsOf = (sections: readonly Section[]): readonly Section[] =>
  sections.flatMap((section) => [section, ...sectionsOf(section.sections)]);

const blocksOf = ({ lead, sections }: Report): readonly Block[] => [
  ...lead,
  ...sectionsOf(sections).flatMap(({ blocks }) => blocks),
];

const titlesOf = ({ sections }: Report): readonly string[] =>
  sectionsOf(sections).map(({ title }) => title);

const gapsOf = ({ gaps }: Report): readonly string[] => gaps.map(({ about }) => about);

const plain = (text: Text): string =>
  text.map((piece) => (typeof piece === 'string' ? piece : piece.text)).join('');

const spoken = (block: Block): string => {
  switch (block.kind) {
    case 'statement':
    case 'note':
      return plain(block.text);
    case 'gap':
      return `${block.about}: ${block.text}`;
    case 'see':
      return '';
    case 'table':
      return block.rows.map(({ cells }) => cells.map(plain).join(' | ')).join('\n');
  }
};

/** All that a report says, without its headings. */
const said = (report: Report): string => blocksOf(report).map(spoken).join('\n');

/** Every fact of a type, with some of its data replaced. */
const change =
  (type: string, data: object) =>
  (honest: HonestRun): HonestRun => ({
    ...honest,
    run: honest.run.map((fact) =>
      fact.type === type ? { ...fact, data: { ...(fact.data as object), ...data } } : fact,
    ),
  });

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

const evidence = evidenceOf(ACCEPTED);

describe.each(REPORTS)('a %s', (_, reportOf) => {
  it('says nothing of the finding that rests on no event, and names each event with its hash', () => {
    const report = reportOf(evidence);
    const hashes = new Map(report.events.map(({ key, hash }) => [key, hash]));
    const bases = blocksOf(report).flatMap((block) => {
      if (block.kind === 'statement') return [block.basis];
      return block.kind === 'table' ? block.rows.map(({ basis }) => basis) : [];
    });
    expect(bases.length).toBeGreaterThan(60);
    for (const basis of bases) expect(basis.events).not.toHaveLength(0);
    expect([...hashes.keys()].sort()).toEqual(
      [...new Set(bases.flatMap(({ events }) => events))].sort(),
    );
    const all = [...evidence.finding, ...evidence.run, ...evidence.study, ...evidence.data];
    const expected = new Map(
      all.map(({ stream, revision, hash }) => [`${stream}@${revision}`, hash]),
    );
    for (const [key, hash] of hashes) expect(hash).toBe(expected.get(key));
  });

  it('gives the same bytes for the same evidence, in both forms', async () => {
    const again: FindingEvidence = structuredClone(evidence);
    expect(reportHtml(reportOf(again))).toBe(reportHtml(reportOf(evidence)));
    const [one, other] = await Promise.all([
      reportPdf(reportOf(evidence)),
      reportPdf(reportOf(again)),
    ]);
    expect(Buffer.compare(one, other)).toBe(0);
  });

  it('links to places that are there, and to nothing outside of itself', () => {
    const html = reportHtml(reportOf(evidence));
    const ids = [...html.matchAll(/ id="([^"]+)"/gu)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const targets = [...html.matchAll(/href="([^"]+)"/gu)].map(([, target = '']) => target);
    expect(targets.length).toBeGreaterThan(200);
    for (const target of targets) {
      expect(target).toMatch(/^#/u);
      expect(ids).toContain(decodeURIComponent(target.slice(1)));
    }
    expect(html).not.toMatch(/https?:|<script|<img|<link|@import|url\(/u);
  });

  it('lets digests break in its columns, and words not; names streams of digests by their beginning', () => {
    const html = reportHtml(reportOf(VERIFIED)).replace(/<style>.*<\/style>/su, '');
    const { dataDigest } = eventsOf(VERIFIED.run, 'RunOpened')[0]!.data.pins;
    const words = html.replace(/<wbr>/gu, ' ').replace(/<[^>]*>/gu, '\n');
    expect(words.match(/[0-9a-f]{33,}/gu)).toBeNull();
    expect(words).toContain('hyperparameters.json');
    expect(html).toContain(dataDigest.match(/.{8}/gu)!.join('<wbr>'));
    expect(html).toContain(`>data-${dataDigest.slice(0, 12)}…@`);
    expect(html).toContain(`aria-label="event data-${dataDigest}@`);
  });

  it('is a tagged PDF with bookmarks, whose links lead somewhere', async () => {
    const text = latin1(await reportPdf(reportOf(evidence)));
    expect(text).toMatch(/^%PDF-1\.7/u);
    expect(text).toMatch(/\/Marked true/u);
    expect(text).toMatch(/\/StructTreeRoot \d+ 0 R/u);
    expect(text).toMatch(/\/Outlines \d+ 0 R/u);
    const targets = [...text.matchAll(/\/S \/GoTo\s*\/D \(([^)]+)\)/gu)].map(([, name]) => name);
    expect(targets.length).toBeGreaterThan(200);
    const names = new Set(
      [...text.matchAll(/\(([^()]+)\) \[\d+ 0 R \/XYZ/gu)].map(([, name]) => name),
    );
    for (const target of targets) expect(names).toContain(target);
  });

  it('numbers its gaps, and prints each where it belongs', () => {
    const report = reportOf(evidence);
    const printed = blocksOf(report).filter((block) => block.kind === 'gap');
    expect(report.gaps.map(({ number }) => number)).toEqual(report.gaps.map((_, at) => at + 1));
    expect(printed.filter(({ first }) => first).map(({ about }) => about)).toEqual(gapsOf(report));
    expect(reportHtml(report)).toContain(`Gaps: ${report.gaps.length}`);
    expect(gapsOf(report)).toContain('Name of the provider');
  });

  it('shows hostile words as words', async () => {
    const hostile =
      '</q><script>alert(1)</script><img src=x onerror="alert(1)"> \u202Egnitteb\u0007\u200B 中文 😀';
    const report = reportOf(
      evidenceOf(ACCEPTED, (honest) =>
        change('HypothesisProposed', { statement: hostile })(
          change('MutationCutOver', { why: hostile })(
            change('MutationProposed', { summary: hostile })(honest),
          ),
        ),
      ),
    );
    const html = reportHtml(report);
    expect(html).toContain('&lt;script&gt;');
    expect(html).toContain('[U+202E]gnitteb[U+0007][U+200B] 中文 😀');
    expect(html).not.toMatch(/<script|<img|\u202E|\u200B/u);
    expect(html).not.toContain('\u0007');
    expect(latin1(await reportPdf(report))).toMatch(/^%PDF-1\.7[\s\S]+%%EOF\s*$/u);
  });

  it('says that a finding that nobody verified is not verified', () => {
    const report = reportOf(evidenceOf([]));
    expect(gapsOf(report)).toContain('Verdict');
    expect(said(report)).not.toMatch(/Verdict: (PASS|BLOCK)/u);
    expect(gapsOf(reportOf(evidence))).not.toContain('Verdict');
  });

  it('says first that a blocked finding is blocked, and by what', () => {
    const report = reportOf(evidenceOf(BLOCKED));
    expect(report.lead.map(spoken).join('\n')).toContain('BLOCK');
    expect(said(report)).toContain('1 of 2\u00a0conditions failed');
    expect(said(report)).toContain('310 of 300 spent');
    expect(gapsOf(report)).toContain('A verdict that stands');
    expect(said(report)).not.toContain('Verdict: PASS');
  });

  it('stays with a block that was mended', () => {
    const report = reportOf(evidenceOf([...BLOCKED, verified()]));
    expect(said(report)).toContain('A finding that was blocked once stays discarded');
    expect(gapsOf(report)).toContain('A verdict that stands');
  });

  it('says whether a person reviewed the finding, and who', () => {
    expect(gapsOf(reportOf(evidenceOf()))).toContain('Review by a person');
    const reviewed = reportOf(evidence);
    expect(gapsOf(reviewed)).not.toContain('Review by a person');
    expect(said(reviewed)).toContain('accepted the finding. The reason is sealed');
  });

  it('says that a verification was asked for and not answered', () => {
    const asked = { type: 'VerificationRequested', data: { findingId: 'f1' } } as const;
    const about = 'Answer to the latest request for verification';
    expect(gapsOf(reportOf(evidenceOf([verified(), asked])))).toContain(about);
    expect(gapsOf(reportOf(evidenceOf([asked, verified()])))).not.toContain(about);
  });

  it('says what came of each replay, and that there was none', () => {
    const about = 'Replay of the training';
    expect(gapsOf(reportOf(VERIFIED))).toContain(about);
    const report = reportOf(REPLAYED);
    expect(gapsOf(report)).not.toContain(about);
    expect(said(report)).toContain(
      'trained again 2\u00a0times after the finding was proposed: 1 bit-exact, every prediction the same number; 1 not reproducible',
    );
    expect(said(report)).toContain('predictions | differs | TrainingTimedOut | the recorded');
    expect(said(report)).toContain("metric | attested | not recomputed (the study's rows");
  });

  it('says that the history before a fork is not in it', () => {
    const forkedFrom = { runId: 'r0', mutationId: null, commit: 'c', tree: 't' };
    const report = reportOf(evidenceOf(ACCEPTED, change('RunOpened', { forkedFrom })));
    expect(gapsOf(report)).toContain('How the forked state was reached');
    expect(gapsOf(reportOf(evidence))).not.toContain('How the forked state was reached');
  });

  it('says that nothing was measured by group where nothing was', () => {
    const without = (honest: HonestRun): HonestRun => ({
      ...honest,
      run: honest.run.filter(({ type }: Fact) => type !== 'FairnessMeasured'),
    });
    const about = 'Fairness of the claimed program';
    expect(gapsOf(reportOf(evidenceOf(ACCEPTED, without)))).toContain(about);
    expect(gapsOf(reportOf(evidence))).not.toContain(about);
  });

  it('calls a report of fairness that measures nothing none', () => {
    const nothing = change('FairnessMeasured', {
      report: { threshold: 0.5, decide: 'estimate', level: 0.95, measures: [], groups: [] },
    });
    const report = reportOf(evidenceOf(ACCEPTED, nothing));
    expect(gapsOf(report)).toContain('Fairness of the claimed program');
    expect(said(report)).not.toContain('At the threshold');
  });

  it('says that a key was committed, a change could be taken back, and seeds differ, only where the log does', () => {
    const without = (type: string): FindingEvidence => {
      const { run, study } = evidence;
      return {
        ...evidence,
        run: run.filter((event) => event.type !== type),
        study: study.filter((event) => event.type !== type),
      };
    };
    const gaps = [
      ['SplitCommitted', 'Commitment to the key of the split'],
      ['RestorePointTaken', 'Kept changes without their record'],
    ] as const;
    for (const [type, about] of gaps) {
      expect(gapsOf(reportOf(evidence))).not.toContain(about);
      expect(gapsOf(reportOf(without(type)))).toContain(about);
    }
    const once = change('BaselineEstablished', { replicates: 1, seedDeviation: 0 });
    expect(said(reportOf(evidence))).toContain('between seeds it varied');
    expect(said(reportOf(evidenceOf(ACCEPTED, once)))).not.toContain('between seeds it varied');
  });

  it('tells each score of the dev rows that the agent was told', () => {
    const told = eventsOf(evidence.run, 'MetricObserved').filter(
      ({ data }) => data.ladderScore !== null,
    );
    const scores = blocksOf(reportOf(evidence)).flatMap((block) =>
      block.kind === 'statement' && plain(block.text).startsWith('The agent was told a score')
        ? block.basis.events
        : [],
    );
    expect(scores).toEqual(told.map(placeOf));
  });

  it('says the words that a regulator looks for with their uncertainty', () => {
    const proposed = eventsOf(evidence.finding, 'FindingProposed')[0];
    if (proposed === undefined) throw new Error('no finding was proposed');
    const { estimate, interval, n } = proposed.data.claim;
    const text = said(reportOf(evidence));
    expect(text).toContain(`falls by ${estimate.toFixed(4)}`);
    expect(text).toContain('joint one');
    expect(text).toContain(interval.lower.toFixed(4));
    expect(text).toContain(n.toLocaleString('en-US'));
  });

  it('claims no compliance', () => {
    const text = said(reportOf(evidence));
    expect(text.match(/compl(?:y|ies|iance|iant)/gu)).toEqual(['complies']);
    expect(text).toContain('makes no claim that anything complies');
    expect(text).toContain('not that it is true');
  });
});

describe('a dossier', () => {
  const titles = titlesOf(dossierOf(evidence));

  it.each([
    ...['1(a)', '1(b)', '1(c)', '1(d)', '1(e)', '1(f)', '1(g)', '1(h)'],
    ...['2(a)', '2(b)', '2(c)', '2(d)', '2(e)', '2(f)', '2(g)', '2(h)'],
    ...['1.', '2.', '3.', '4.', '5.', '6.', '7.', '8.', '9.'],
    ...['Article 11:', 'Article 11(1)', 'Article 11(2)', 'Article 11(3)'],
    ...['Article 12:', 'Article 12(1)', 'Article 12(2):', 'Article 12(2)(a)', 'Article 12(2)(b)'],
    ...['Article 12(2)(c)', 'Article 12(3)', 'Article 14:', 'Article 14(1)', 'Article 14(2)'],
    ...['Article 14(3)', 'Article 14(4):', 'Article 14(4)(a)', 'Article 14(4)(b)'],
    ...['Article 14(4)(c)', 'Article 14(4)(d)', 'Article 14(4)(e)', 'Article 14(5)', 'Annex IV'],
    ...['GOVERN 1', 'GOVERN 2', 'GOVERN 3', 'GOVERN 4', 'GOVERN 5', 'GOVERN 6'],
    ...['MAP 1', 'MAP 2', 'MAP 3', 'MAP 4', 'MAP 5'],
    ...['MEASURE 1', 'MEASURE 2', 'MEASURE 3', 'MEASURE 4'],
    ...['MANAGE 1', 'MANAGE 2', 'MANAGE 3', 'MANAGE 4'],
  ])('has a heading for %s', (point) => {
    expect(titles.filter((title) => title.startsWith(point)).length).toBeGreaterThan(0);
  });

  it('leaves no heading empty', () => {
    for (const { title, blocks, sections } of sectionsOf(dossierOf(evidence).sections))
      expect([title, blocks.length + sections.length]).not.toEqual([title, 0]);
  });
});

describe('a model card', () => {
  it('has the sections of Mitchell et al. 2019', () => {
    expect(modelCardOf(evidence).sections.map(({ title }) => title)).toEqual([
      ...['Model details', 'Intended use', 'Factors', 'Metrics', 'Evaluation data'],
      ...['Training data', 'Quantitative analyses', 'Ethical considerations'],
      'Caveats and recommendations',
    ]);
  });
});
