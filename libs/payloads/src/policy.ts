import { SANDBOX_LAYERS } from '#libs/harness';
import type {
  ChartPolicy,
  CoarseningStep,
  Costs,
  DataPolicy,
  DimensionPolicy,
  DisclosurePolicy,
  FairnessPolicy,
  FileDomain,
  HarnessPolicy,
  IntersectionPolicy,
  MergedGroup,
  MagnitudePolicy,
  OutcomePolicy,
  PiiPolicy,
  Ratio,
  SandboxLayer,
  SandboxPolicy,
  SearchAgentPolicy,
  SearchKnob,
  Split,
  TrainingPolicy,
} from '#libs/harness';
import { Nullable } from '#libs/event-log';
import {
  Count,
  EachFitsOne,
  Finite,
  Finites,
  FitsOne,
  Flag,
  Fulfils,
  Id,
  Nested,
  NestedList,
  OneOf,
  Ordinal,
  Path,
  Scalars,
  Text,
  Texts,
} from './checks.ts';
import { DECIDES, SIDES } from './shared.ts';

class StudyPayload {
  @Id() id!: string;
  @Text(500) title!: string;
  @Text(4000) question!: string;
}

class MutableFilesPayload implements Record<FileDomain, readonly string[]> {
  @Texts(4096) hyperparameter!: readonly string[];
  @Texts(4096) feature!: readonly string[];
  @Texts(4096) architecture!: readonly string[];
}

class ProgramPayload {
  @Path() path!: string;
  @Path() entry!: string;
  @OneOf(['node']) runtime!: 'node';
  @Nested(() => MutableFilesPayload) mutable!: MutableFilesPayload;
  @Texts(200) protectedParameters!: readonly string[];
}

class BinsPayload implements Extract<DimensionPolicy, { kind: 'bins' }> {
  @Text(200) name!: string;
  @Text(200) column!: string;
  @OneOf(['bins']) kind!: 'bins';
  @Finites() cuts!: readonly number[];
  @Texts(300) labels!: readonly string[];
}

const isValueList = (list: unknown): boolean =>
  Array.isArray(list) &&
  list.length > 0 &&
  list.every((value) => typeof value === 'string' && value.length <= 4096);

class GroupsPayload implements Extract<DimensionPolicy, { kind: 'groups' }> {
  @Text(200) name!: string;
  @Text(200) column!: string;
  @OneOf(['groups']) kind!: 'groups';
  @Texts(300) labels!: readonly string[];
  @Fulfils(
    'valueLists',
    (lists) => Array.isArray(lists) && lists.length <= 10_000 && lists.every(isValueList),
    'a list of lists of texts, none empty',
  )
  values!: readonly (readonly string[])[];
}

class AtLeastPayload {
  @Finite() atLeast!: number;
}

class EqualsPayload {
  // A cell of the data file may well be empty.
  @Fulfils('cell', (cell) => typeof cell === 'string' && cell.length <= 4096, 'a text')
  equals!: string;
}

class OutcomeLabelsPayload {
  @Text(60) positive!: string;
  @Text(60) negative!: string;
}

class OutcomePayload implements OutcomePolicy {
  @Text(200) name!: string;
  @Text(200) column!: string;
  @FitsOne(AtLeastPayload, EqualsPayload) positive!: OutcomePolicy['positive'];
  @Nested(() => OutcomeLabelsPayload) labels!: OutcomeLabelsPayload;
}

export class SplitPayload implements Record<Split, number> {
  @Finite(0) train!: number;
  @Finite(0) dev!: number;
  @Finite(0) check!: number;
  @Finite(0) sealed!: number;
}

class CoarseningPayload implements CoarseningStep {
  @Text(200) dimension!: string;
  @Texts(300) merge!: readonly string[];
  @Text(300) into!: string;
}

class DominancePayload {
  @Ordinal() largest!: number;
  @Ordinal() percent!: number;
}

class MagnitudePayload implements MagnitudePolicy {
  @Text(200) name!: string;
  @Text(200) column!: string;
  @Count() decimals!: number;
  @Nullable() @Nested(() => DominancePayload) dominance!: DominancePayload | null;
  @Nullable() @Ordinal() priorPercent!: number | null;
}

class DisclosurePolicyPayload implements DisclosurePolicy {
  @OneOf(['hidden', 'shown']) emptyCells!: 'hidden' | 'shown';
  @Count() minimumOutcome!: number;
  @OneOf(['auto', 'told']) totals!: 'auto' | 'told';
  @OneOf(['one', 'any']) tables!: 'one' | 'any';
}

class PiiExceptionPayload {
  @Text(200) column!: string;
  @Text(500) reason!: string;
}

class PiiPayload implements PiiPolicy {
  @NestedList(() => PiiExceptionPayload) allow!: readonly PiiExceptionPayload[];
}

class DataPayload implements DataPolicy {
  @Path() path!: string;
  @OneOf(['csv', 'parquet', 'postgres']) format!: DataPolicy['format'];
  @Nullable() @Text(200) rowId!: string | null;
  @Texts(200) identifiers!: readonly string[];
  @Nested(() => OutcomePayload) outcome!: OutcomePayload;
  @EachFitsOne(BinsPayload, GroupsPayload) dimensions!: readonly DimensionPolicy[];
  @NestedList(() => CoarseningPayload) coarsen!: readonly CoarseningPayload[];
  @NestedList(() => MagnitudePayload) magnitudes!: readonly MagnitudePayload[];
  @Texts(200) planted!: readonly string[];
  @EachFitsOne(BinsPayload, GroupsPayload) protected!: readonly DimensionPolicy[];
  @Nested(() => SplitPayload) split!: SplitPayload;
  @Ordinal() minimumCell!: number;
  @Nullable() @Nested(() => DisclosurePolicyPayload) disclosure!: DisclosurePolicyPayload | null;
  @Nullable() @Nested(() => PiiPayload) pii!: PiiPayload | null;
}

class ObjectivePayload {
  @OneOf(['log-loss']) metric!: 'log-loss';
}

class CostsPayload implements Costs {
  @Count() hypothesis!: number;
  @Count() hyperparameter!: number;
  @Count() feature!: number;
  @Count() architecture!: number;
  @Count() metric!: number;
}

class BudgetPayload {
  @Count() total!: number;
  @Nested(() => CostsPayload) costs!: CostsPayload;
}

class TrainingPayload implements TrainingPolicy {
  @Finite(0) seconds!: number;
  @Finite(0) memoryMb!: number;
  @Finite(0) outputMb!: number;
  @Ordinal() processes!: number;
}

class SandboxPayload implements SandboxPolicy {
  @Fulfils(
    'layers',
    (layers) =>
      Array.isArray(layers) &&
      new Set(layers).size === layers.length &&
      layers.every((layer) => SANDBOX_LAYERS.includes(layer as SandboxLayer)),
    'a list of layers of a sandbox, each once',
  )
  minimum!: readonly SandboxLayer[];
}

class KeepPayload {
  @Finite(0) falseKeeps!: number;
  @Nullable() @Finite(0) effect!: number | null;
}

type Chart<Kind extends ChartPolicy['kind']> = Extract<ChartPolicy, { kind: Kind }>;

class CandidateChartPayload implements Chart<'gain' | 'gap'> {
  @OneOf(['gain', 'gap']) kind!: 'gain' | 'gap';
  @Finite() reference!: number;
  @Finite() allowance!: number;
  @Finite() decisionInterval!: number;
}

class ValueChartPayload implements Chart<'value'> {
  @OneOf(['value']) kind!: 'value';
  @Fulfils(
    'reference',
    (value) => Number.isFinite(value) || value === 'baseline',
    'a finite number or "baseline"',
  )
  reference!: number | 'baseline';
  @Finite() allowance!: number;
  @Finite() decisionInterval!: number;
}

class StabilityChartPayload implements Chart<'stability'> {
  @OneOf(['stability']) kind!: 'stability';
  @Finite() allowance!: number;
  @Finite() decisionInterval!: number;
  @Ordinal() every!: number;
}

class PreLoopPayload {
  @Count() minimumRows!: number;
  @Count() minimumGroup!: number;
  @Finite(0) maximumSuppression!: number;
}

class MidLoopPayload {
  @Count() maximumFiles!: number;
  @Count() maximumFileBytes!: number;
  @Count() maximumRefusals!: number;
}

class RatioPayload implements Ratio {
  @Count() numerator!: number;
  @Ordinal() denominator!: number;
}

class MergedGroupPayload implements MergedGroup {
  @Text(300) label!: string;
  @Fulfils(
    'combinations',
    (lists) => Array.isArray(lists) && lists.length <= 10_000 && lists.every(isValueList),
    'a list of lists of texts, none empty',
  )
  combinations!: readonly (readonly string[])[];
}

class IntersectionPayload implements IntersectionPolicy {
  @Texts(200) of!: readonly string[];
  @Nullable() @NestedList(() => MergedGroupPayload) groups!: readonly MergedGroupPayload[] | null;
}

class FairnessPolicyPayload implements FairnessPolicy {
  @Finite(0) threshold!: number;
  @OneOf(SIDES) favourable!: 'positive' | 'negative';
  @Count() minimumGroup!: number;
  @OneOf(DECIDES) decide!: FairnessPolicy['decide'];
  @Finite(0) level!: number;
  @NestedList(() => IntersectionPayload) intersections!: readonly IntersectionPayload[];
  @Nullable() @Nested(() => RatioPayload) disparateImpact!: RatioPayload | null;
  @Nullable() @Finite(0) demographicParity!: number | null;
  @Nullable() @Finite(0) equalOpportunity!: number | null;
  @Nullable() @Finite(0) equalizedOdds!: number | null;
}

class GatesPayload {
  @Nested(() => PreLoopPayload) preLoop!: PreLoopPayload;
  @Nested(() => MidLoopPayload) midLoop!: MidLoopPayload;
  @Nested(() => FairnessPolicyPayload) postLoop!: FairnessPolicyPayload;
}

class KnobPayload implements SearchKnob {
  @Path() file!: string;
  @Text(200) key!: string;
  @OneOf(['one', 'subset']) choose!: 'one' | 'subset';
  @Scalars() values!: readonly (string | number | boolean)[];
}

class AgentPayload implements SearchAgentPolicy {
  @OneOf(['search']) kind!: 'search';
  @NestedList(() => KnobPayload) knobs!: readonly KnobPayload[];
}

class GovernancePolicyPayload {
  @Flag() acceptUngoverned!: boolean;
}

/** Whether the policy makes sense was asked when the study file was read; here only its shape counts. */
export class HarnessPolicyPayload implements HarnessPolicy {
  @OneOf([1, 2]) version!: 1 | 2;
  @Nested(() => StudyPayload) study!: StudyPayload;
  @Nested(() => ProgramPayload) program!: ProgramPayload;
  @Nested(() => DataPayload) data!: DataPayload;
  @Nested(() => ObjectivePayload) objective!: ObjectivePayload;
  @Nested(() => BudgetPayload) budget!: BudgetPayload;
  @Nested(() => TrainingPayload) training!: TrainingPayload;
  @Nested(() => SandboxPayload) sandbox!: SandboxPayload;
  @Ordinal() replicates!: number;
  @Nested(() => KeepPayload) keep!: KeepPayload;
  @EachFitsOne(CandidateChartPayload, ValueChartPayload, StabilityChartPayload)
  charts!: readonly ChartPolicy[];
  @Nested(() => GatesPayload) gates!: GatesPayload;
  @Nested(() => AgentPayload) agent!: AgentPayload;
  @Nested(() => GovernancePolicyPayload) governance!: GovernancePolicyPayload;
}
