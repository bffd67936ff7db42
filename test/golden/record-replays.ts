import { findingDecider, type FindingEvent, type FindingReplayed } from '#libs/findings';
import { deriveId, type Fact } from '#libs/kernel';
import { replayAttestation } from '#libs/provenance';
import { chained, honestRun, sealed } from '../../libs/provenance/src/testing/honest-run.ts';
import { REPLAYED_ON } from '../support/environment.ts';
import { decided, makeWorkshop, writeGoldenLog } from './recording.ts';

/**
 * Records a golden log of a finding that was replayed, once to the bit and once in vain:
 * `npx node --conditions=source test/golden/record-replays.ts test/golden/v1-replays.jsonl`; never over a file that is
 * there.
 */

const workshop = makeWorkshop();
const honest = honestRun(workshop, ['kept']);
const proposed = sealed(workshop, honest).findingEvents[0];
if (proposed === undefined) throw new Error('no finding was proposed');
const { type, data } = JSON.parse(new TextDecoder().decode(proposed.canonical)) as Fact;
const { findingId, chain } = honest.finding.data;

const replayed = (
  nth: number,
  outcome: Pick<FindingReplayed['data'], 'class' | 'rows'> & { readonly found: string | null },
) => {
  const { found, ...said } = outcome;
  const unsigned = {
    ...{ findingId, trainingId: 'golden-training', tree: chain.toTree, steps: 200, ...said },
    environment: REPLAYED_ON,
    predictions: { found, expected: 'cd'.repeat(32) },
  };
  const attested = replayAttestation(unsigned, proposed.hash);
  const signature = workshop.sign('runner', 'replay', attested);
  return {
    type: 'RecordReplay' as const,
    id: deriveId('replay', nth),
    data: { ...unsigned, signature },
  };
};
const metric = {
  row: 'metric',
  outcome: 'attested',
  found: "not recomputed (the study's rows are not at hand): the operator's word",
  expected: 'log-loss 0.61',
} as const;
const expected = 'the recorded predictions (cdcdcdcdcdcd)';

const replays = decided(
  findingDecider,
  [{ type, data }],
  replayed(1, {
    class: 'bit-exact',
    found: 'cd'.repeat(32),
    rows: [
      { row: 'environment', outcome: 'same', found: 'platform linux', expected: 'platform linux' },
      { row: 'predictions', outcome: 'same', found: '36 identical predictions', expected },
      metric,
    ],
  }),
  replayed(2, {
    class: 'not-reproducible',
    found: null,
    rows: [
      {
        row: 'environment',
        outcome: 'differs',
        found: 'holdfast 0.3.0',
        expected: 'holdfast 0.2.0',
      },
      { row: 'predictions', outcome: 'differs', found: 'TrainingTimedOut', expected },
      metric,
    ],
  }),
) satisfies readonly FindingEvent[];

writeGoldenLog([
  proposed,
  ...chained(
    proposed.stream,
    replays,
    workshop.sha256,
    { position: proposed.position + 1, prev: proposed.hash },
    1,
  ),
]);
