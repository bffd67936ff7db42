import { findingDecider, type FindingEvent } from '#libs/findings';
import type { Estimate, HarnessPolicy } from '#libs/harness';
import { deriveId, type Fact } from '#libs/kernel';
import { verdictAttestation, verifyFinding, type StoredBytes } from '#libs/provenance';
import { runDecider, type RunEvent, type RunOpened } from '#libs/run';
import { verify } from '#libs/signatures';
import { chained, honestRun, sealed } from '../../libs/provenance/src/testing/honest-run.ts';
import { SEALED } from '../../libs/kernel/src/testing/sealed-text.ts';
import { examplePolicy } from '../../libs/harness/src/testing/policy.ts';
import { decided, makeWorkshop, writeGoldenLog } from './recording.ts';

/**
 * Records a golden log with today's deciders: every type of event, one stored event a line.
 * `npx node --conditions=source test/golden/record.ts test/golden/v2.jsonl`; never over a file that is there.
 */

const workshop = makeWorkshop();
const { sha256 } = workshop;

const facts = (events: readonly StoredBytes[]): readonly Fact[] =>
  events.map(({ canonical }) => JSON.parse(new TextDecoder().decode(canonical)) as Fact);

/** The stream `events` with `more` at its end. */
const continued = (events: readonly StoredBytes[], more: readonly Fact[]) => {
  const last = events.at(-1);
  if (last === undefined) throw new Error('a stream without an event');
  const { stream, revision, hash: prev } = last;
  return [...events, ...chained(stream, more, sha256, { position: 0, prev }, revision + 1)];
};

/** Everything that can happen to a run in one night, until its budget is spent. */
const night = honestRun(workshop, [
  ...(['kept', 'crashed', 'discarded', 'kept-large', 'diverged', 'metric'] as const),
  ...(['refused', 'timed-out', 'kept', 'kept'] as const),
  ...(['discarded', 'discarded', 'discarded', 'discarded'] as const),
]);
const ACCURACY: Estimate = { name: 'accuracy', value: 0.74, standardError: 0.01, n: 2000 };

/** The made-up night takes up no metric's values: here it does. */
const measured = (fact: Fact): Fact => {
  const { type, data } = fact as RunEvent;
  return type === 'MetricObserved'
    ? { type, data: { ...data, observation: { ...data.observation, secondary: [ACCURACY] } } }
    : fact;
};
const {
  events: run,
  studyEvents,
  dataEvents,
  findingEvents,
} = sealed(workshop, {
  ...night,
  run: night.run.map(measured),
});
const { data: finding } = night.finding;
const proposed = findingEvents[0];
if (proposed === undefined) throw new Error('no finding was proposed');

const judged = await verifyFinding({
  ...{ events: run, studyEvents, findingEvents, sha256, sha1: workshop.sha1 },
  dataEvents: () => dataEvents,
  readObject: night.git.readObject,
  verifySignature: verify,
});
const head = facts(run).findLast(({ type }) => type === 'RunHeadSigned')?.data as {
  readonly revision: number;
  readonly hash: string;
};
const verdict = (findingId: string, result: 'PASS' | 'BLOCK') => {
  const rows = judged.rows.map(({ row, passed, found, expected }) => ({
    ...{ row, found, expected },
    passed: result === 'PASS' ? passed : passed && row !== judged.rows[0]?.row,
  }));
  const said = { findingId, verdict: result, rows, trust: 'self-signed, unanchored' as const };
  const runHead = { revision: head.revision, hash: head.hash };
  const attested = verdictAttestation(said, runHead, proposed.hash);
  return { ...said, signature: workshop.sign('runner', 'verdict', attested) };
};
if (judged.verdict !== 'PASS') throw new Error('the honest run does not verify');

const accepted = continued(
  findingEvents,
  decided(
    findingDecider,
    facts(findingEvents),
    {
      type: 'RecordVerdict',
      id: deriveId('verdict', 1),
      data: {
        verified: verdict(finding.findingId, 'PASS'),
        acceptedTree: null,
        lastVerifiedTree: finding.chain.sourceTree,
      },
    },
    {
      type: 'ReviewFinding',
      id: deriveId('review', 1),
      data: { decision: 'accepted', reason: SEALED },
    },
  ) satisfies readonly FindingEvent[],
);
/** A second finding, blocked later under a line that was accepted already. */
const blocked = chained(
  'finding-f2',
  decided(
    findingDecider,
    [],
    {
      type: 'ProposeFinding',
      id: deriveId('propose', 2),
      data: { ...(facts(findingEvents)[0]?.data as typeof finding), findingId: 'f2', number: 2 },
    },
    {
      type: 'RecordVerdict',
      id: deriveId('verdict', 2),
      data: {
        verified: verdict('f2', 'BLOCK'),
        acceptedTree: finding.chain.toTree,
        lastVerifiedTree: finding.chain.sourceTree,
      },
    },
    {
      type: 'ReviewFinding',
      id: deriveId('review', 2),
      data: { decision: 'rejected', reason: SEALED },
    },
  ) satisfies readonly FindingEvent[],
  sha256,
);
const closed = continued(
  run,
  decided(runDecider, facts(run), {
    type: 'CloseRun',
    id: deriveId('close', 1),
    data: { findings: [{ findingId: finding.findingId, verdict: 'PASS' }] },
  }) satisfies readonly RunEvent[],
);

/** The members that {@link examplePolicy} leaves empty. */
const OTHER_POLICY: HarnessPolicy = {
  ...examplePolicy,
  data: {
    ...examplePolicy.data,
    format: 'parquet',
    rowId: 'row',
    identifiers: ['name'],
    outcome: {
      name: 'high pay',
      column: 'band',
      positive: { equals: 'high' },
      labels: { positive: 'high', negative: 'low' },
    },
    dimensions: [
      {
        name: 'education',
        column: 'education',
        kind: 'bins',
        cuts: [12, 16.5],
        labels: ['below 12', '12 to below 16.5', '16.5 and above'],
      },
      ...examplePolicy.data.dimensions,
    ],
    protected: [
      {
        name: 'ethnicity',
        column: 'ethnicity',
        kind: 'groups',
        labels: ['a', 'b'],
        values: [['a'], ['b', '']],
      },
    ],
  },
  charts: [
    ...examplePolicy.charts,
    { kind: 'value', reference: 0.6, allowance: 0.1, decisionInterval: 1 },
  ],
  gates: {
    ...examplePolicy.gates,
    postLoop: {
      ...examplePolicy.gates.postLoop,
      disparateImpact: null,
      demographicParity: 0.1,
      equalOpportunity: 0.1,
      equalizedOdds: 0.2,
    },
  },
  agent: {
    kind: 'search',
    knobs: [
      {
        file: 'hyperparameters.json',
        key: 'rate',
        choose: 'one',
        values: [0.1, 'fast', true],
      },
    ],
  },
};

/** A second run of that policy, halted by the mandate. */
const opening = honestRun(workshop, [], OTHER_POLICY).run;
const baseline = opening
  .slice(0, opening.findIndex(({ type }) => type === 'BaselineEstablished') + 1)
  .map((fact) =>
    fact.type === 'RunOpened'
      ? { ...fact, data: { ...(fact.data as RunOpened['data']), runId: 'r2', number: 2 } }
      : fact,
  );
const halted = chained(
  'run-r2',
  [
    ...baseline,
    ...decided(
      runDecider,
      baseline,
      {
        type: 'RequestData',
        id: deriveId('request', 2),
        data: { dimensions: ['region'], breaches: [], cells: 2, people: 5000 },
      },
      {
        type: 'ProposeHypothesis',
        id: deriveId('hypothesis', 2),
        data: { statement: 'deny the applicant in row 17', expectedEffect: 0.5 },
      },
    ),
  ],
  sha256,
);

writeGoldenLog([...studyEvents, ...dataEvents, ...closed, ...halted, ...accepted, ...blocked]);
