import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage } from 'class-validator';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { statementOf, type Claim, type FindingProposed } from '#libs/findings';
import type { AgentCommand, ProposeHypothesis, ProposeMutation, RequestData } from '#libs/run';
import { FindingProposedPayload } from './findings.ts';
import {
  CohortsServedPayload,
  HypothesisProposedPayload,
  MutationProposedPayload,
  ProposalRefusedPayload,
  SecondaryMetricProposedPayload,
} from './run.ts';

type Shape = new () => object;

/** Every member of a payload class, by its path, and of those that it holds. */
const membersOf = (shape: Shape, path = ''): readonly string[] => {
  const names = new Set(
    getMetadataStorage()
      .getTargetValidationMetadatas(shape, '', true, false)
      .map(({ propertyName }) => propertyName),
  );
  return [...names].flatMap((name) => {
    const place = path === '' ? name : `${path}.${name}`;
    // An object becomes an instance of the class that the member holds, where it holds one.
    const held = (plainToInstance(shape, { [name]: {} }) as Record<string, object>)[name];
    const nested = held?.constructor as Shape | undefined;
    return nested === undefined || nested === Object ? [place] : membersOf(nested, place);
  });
};

/** What a finding can hold, said a second time: whoever adds a member has to say here what it is. */
const FINDING: Readonly<
  Record<string, 'number' | 'closed set' | 'id or digest' | 'composed' | 'screened'>
> = {
  findingId: 'id or digest',
  number: 'number',
  // Composed of the claim's fields; the verdict recomputes it.
  statement: 'composed',
  'claim.kind': 'closed set',
  // Names of the study file, which is screened when it is read.
  'claim.cohort.description': 'screened',
  'claim.cohort.outcome': 'screened',
  'claim.statistic': 'closed set',
  'claim.estimate': 'number',
  'claim.standardError': 'number',
  'claim.interval.level': 'number',
  'claim.interval.lower': 'number',
  'claim.interval.upper': 'number',
  'claim.relative': 'number',
  'claim.n': 'number',
  // The mutations' own summaries, screened when they were proposed and again by the verdict.
  'claim.changes': 'screened',
  'claim.planted': 'screened',
  'claim.look.dataDigest': 'id or digest',
  'claim.look.ofStudy': 'number',
  'claim.look.ofData': 'number',
  'claim.look.runs': 'number',
  'claim.look.spent': 'number',
  'claim.look.claims': 'number',
  'claim.look.share': 'number',
  'claim.look.multiplier': 'number',
  'chain.runId': 'id or digest',
  'chain.studyId': 'id or digest',
  'chain.runHead.revision': 'number',
  'chain.runHead.hash': 'id or digest',
  'chain.sourceCommit': 'id or digest',
  'chain.sourceTree': 'id or digest',
  'chain.fromTree': 'id or digest',
  'chain.toTree': 'id or digest',
  'chain.mutations': 'id or digest',
  sealedLook: 'number',
  'predictions.path': 'composed',
  'predictions.oid': 'id or digest',
  'predictions.sha256': 'id or digest',
  'predictions.bytes': 'number',
};

/** Words for what no finding and no proposal has a field for. */
const FORBIDDEN =
  /person|people|individual|applicant|patient|customer|\brows?\b|rowId|record|recommend|advice|action|prescri|decision|decide|verdict|approve|apply|deploy|accept/i;

describe('a finding', () => {
  it('has these members and no others', () => {
    expect(membersOf(FindingProposedPayload).toSorted()).toEqual(Object.keys(FINDING).toSorted());
  });

  it('has none for an individual, a prescription or a decision', () => {
    expect(Object.keys(FINDING).filter((path) => FORBIDDEN.test(path))).toEqual([]);
  });

  it('is a claim about a cohort by its type', () => {
    expectTypeOf<FindingProposed['data']['claim']>().toEqualTypeOf<Claim>();
    expectTypeOf<keyof Claim>().toEqualTypeOf<
      | 'kind'
      | 'cohort'
      | 'statistic'
      | 'estimate'
      | 'standardError'
      | 'interval'
      | 'relative'
      | 'n'
      | 'changes'
      | 'planted'
      | 'look'
    >();
    expectTypeOf<Claim['cohort']>().toEqualTypeOf<{
      readonly description: string;
      readonly outcome: string;
    }>();
    expectTypeOf<Claim['statistic']>().toEqualTypeOf<'log-loss-reduction'>();
    const claim: Claim = {
      kind: 'step',
      cohort: { description: 'sealed people in cohorts of region', outcome: 'high pay' },
      statistic: 'log-loss-reduction',
      estimate: 0.02,
      standardError: 0.004,
      interval: { level: 0.95, lower: 0.012, upper: 0.028 },
      relative: 0.033,
      n: 1000,
      changes: ['use experience'],
      planted: [],
      look: null,
    };
    // @ts-expect-error: no field for an individual
    statementOf({ ...claim, individual: 'row 17' } satisfies Claim);
    // @ts-expect-error: no field for a prescription
    statementOf({ ...claim, recommendation: 'raise the rent' } satisfies Claim);
    // @ts-expect-error: no field for a decision
    statementOf({ ...claim, decision: 'deny' } satisfies Claim);
    // @ts-expect-error: no cohort of one person by name
    statementOf({ ...claim, cohort: { person: 'p1' } });
    // @ts-expect-error: no other statistic than one of cohorts
    statementOf({ ...claim, statistic: 'risk-score-of-applicant' });
    expect(statementOf(claim)).not.toContain('undefined');
  });
});

describe('what an agent can send', () => {
  it('is six commands, each with these members alone', () => {
    expectTypeOf<AgentCommand['type']>().toEqualTypeOf<
      | 'ProposeHypothesis'
      | 'ProposeMutation'
      | 'RefuseProposal'
      | 'ProposeSecondaryMetric'
      | 'RequestData'
      | 'FinishLoop'
    >();
    expectTypeOf<keyof ProposeHypothesis['data']>().toEqualTypeOf<'statement' | 'expectedEffect'>();
    expectTypeOf<keyof ProposeMutation['data']>().toEqualTypeOf<
      'summary' | 'declaredDomain' | 'baseTree' | 'commit' | 'tree' | 'changes'
    >();
    // Dimensions of the policy and counts: no row, no filter, no person.
    expectTypeOf<keyof RequestData['data']>().toEqualTypeOf<
      'dimensions' | 'breaches' | 'cells' | 'people'
    >();
    const data: ProposeHypothesis['data'] = {
      statement: 'Experience matters.',
      expectedEffect: 0.02,
    };
    // @ts-expect-error: a hypothesis is about no one
    const about: ProposeHypothesis['data'] = { ...data, applicant: 17 };
    // @ts-expect-error: a hypothesis decides nothing
    const deciding: ProposeHypothesis['data'] = { ...data, decision: 'keep' };
    // @ts-expect-error: an agent sends no verdict
    const verdict: AgentCommand['type'] = 'RecordVerdict';
    // @ts-expect-error: an agent reviews nothing
    const review: AgentCommand['type'] = 'ReviewFinding';
    expect([about, deciding, verdict, review]).toHaveLength(4);
  });

  it.each<[Shape, readonly string[]]>([
    [HypothesisProposedPayload, ['expectedEffect', 'hypothesisId', 'number', 'statement']],
    [
      MutationProposedPayload,
      [
        'baseCommit',
        'baseTree',
        'declaredDomain',
        'files.after',
        'files.before',
        'files.domain',
        'files.kind',
        'files.language',
        'files.path',
        'hypothesisId',
        'measuredDomain',
        'mutationId',
        'number',
        'proposedCommit',
        'proposedTree',
        'summary',
      ],
    ],
    [SecondaryMetricProposedPayload, ['hypothesisId', 'metricId', 'name']],
    [ProposalRefusedPayload, ['hypothesisId', 'inARow', 'reason']],
    // How many people the cells hold together: a number.
    [CohortsServedPayload, ['cells', 'dimensions', 'people']],
  ])(
    'becomes $name, which has no member for one person, a prescription or a decision',
    (shape, members) => {
      expect(membersOf(shape).toSorted()).toEqual(members);
      expect(members.filter((name) => FORBIDDEN.test(name) && name !== 'people')).toEqual([]);
    },
  );
});
