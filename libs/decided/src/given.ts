import type { ErasureEvent } from '#libs/erasures';
import type { FindingEvent } from '#libs/findings';
import type { FleetEvent } from '#libs/fleet';
import type { LedgerReadEvent } from '#libs/ledger-reads';
import type { RunEvent } from '#libs/run';
import type { DataEvent, StudyEvent } from '#libs/studies';

/** Every event that is judged. */
type Judged =
  RunEvent | FindingEvent | StudyEvent | DataEvent | FleetEvent | LedgerReadEvent | ErasureEvent;

/** What is taken as given, and what holds it instead: a row of the verdict by its name, or words. */
export type Given = Readonly<
  Record<string, { readonly rows: readonly string[]; readonly else?: string }>
>;

const held = (...rows: readonly string[]): Given[string] => ({ rows });

const by = (words: string, ...rows: readonly string[]): Given[string] => ({ rows, else: words });

const NOTHING: Given = {};

/** What a worker says of a training: it signs all of it, and the objects are there or not. */
const RESULT = {
  durationMs: held('training-signatures'),
  artefacts: held('training-signatures', 'objects'),
  log: held('training-signatures', 'objects'),
  isolation: held('training-signatures', 'isolation'),
  'signature.value': held('training-signatures'),
} as const satisfies Given;

/**
 * For each type of event the members that its command took from outside; every other one is decided anew and compared. A
 * test changes each member of each type in the golden logs and holds the table to what is refused and what is not.
 */
export const GIVEN: Readonly<Record<Judged['type'], Given>> = {
  RunOpened: {
    studyId: held('data-pinned', 'sealed-look'),
    number: by("the study's stream, where RunCounted gives it"),
    pins: held('source-pinned', 'environment-pinned', 'data-pinned', 'gates'),
    policy: by('its version is that of the rules when it was opened', 'gates'),
    environment: held('environment-pinned'),
    keys: held('run-head-signed', 'training-signatures'),
    seed: held('training-signatures'),
    governance: held('governed'),
    cohorts: held('objects', 'data-pinned'),
    forkedFrom: held('fork-point'),
  },
  GatePassed: {
    checks: by(
      "those of the pre-loop gate alone, which read rows: the operator's vault; at the other gates they are decided anew",
      'gates',
    ),
  },
  RunHalted: {
    note: by('the reason that a human gave, sealed'),
    breaches: by(
      'what a text, a file or a request showed: a halted run yields no finding',
      'not-halted',
    ),
  },
  TrainingLaunched: NOTHING,
  WorkerEnlisted: { publicKey: held('training-signatures') },
  TrainingCompleted: {
    ...RESULT,
    steps: held('training-signatures'),
    predictions: held('training-signatures', 'objects', 'scored-predictions'),
    selfReported: by('never used', 'training-signatures'),
  },
  TrainingFailed: {
    ...RESULT,
    failure: held('training-signatures'),
    detail: held('training-signatures'),
    note: by('the reason of an operator who gave it up, sealed'),
    errorClass: held('training-signatures'),
    errorFile: held('training-signatures'),
    errorLine: held('training-signatures'),
  },
  TrainingTimedOut: { ...RESULT, seconds: held('training-signatures') },
  MetricObserved: {
    observation: by("the evaluator's measurement on rows of the vault: the operator's word"),
    overSeeds: by("the evaluator's measurement, as above", 'keep-rulings'),
  },
  BaselineEstablished: NOTHING,
  HypothesisProposed: {
    statement: by("the agent's words; that the mandate's screen lets them pass is decided anew"),
    expectedEffect: by("the agent's word"),
  },
  MutationProposed: {
    summary: by(
      "the agent's words; that the mandate's screen lets them pass is decided anew",
      'mandate',
    ),
    declaredDomain: by("the agent's word: nothing is charged by it"),
    proposedCommit: held('mutations', 'objects'),
    proposedTree: held('mutations', 'objects', 'complete-chain'),
    files: by(
      'their contents stand in git; their paths, languages and the dearest domain are held against the policy',
      'mutations',
    ),
  },
  ProposalRefused: { reason: by("why an edit did not apply: the edge's word; nothing is charged") },
  SecondaryMetricProposed: { name: by('whether the evaluator knows it; it decides nothing') },
  CohortsServed: {
    dimensions: by('what was asked for'),
    cells: by("the answer from the released table: the operator's vault"),
    people: by("the answer from the released table: the operator's vault"),
  },
  RestorePointTaken: NOTHING,
  MutationCutOver: NOTHING,
  MutationReverted: NOTHING,
  FairnessMeasured: {
    report: by(
      'counts of groups on rows of the vault; figures and intervals follow from them',
      'gates',
    ),
  },
  MutationKept: NOTHING,
  RunReverted: NOTHING,
  LoopEnded: {
    message: by('the reason of an agent; of an exhausted budget or of a human it is decided anew'),
    note: by('the reason that a human gave, sealed'),
  },
  RunHeadSigned: { signature: held('run-head-signed') },
  RunClosed: { findings: by("the findings' own streams, where each verdict is decided") },
  BudgetCharged: NOTHING,
  BudgetExhausted: NOTHING,
  DivergenceDetected: NOTHING,
  FindingProposed: {
    number: by("the finding's id, which holds it"),
    statement: held('mandate'),
    claim: by(
      "the estimate on sealed rows of the vault is the operator's word",
      'sealed-look',
      'mandate',
    ),
    chain: held('run-head-signed', 'source-pinned', 'complete-chain'),
    sealedLook: held('sealed-look'),
    predictions: held('scored-predictions'),
  },
  FindingVerified: {
    rows: by(
      'whoever verifies makes them anew; that they bear out the verdict is decided',
      'recorded-verdicts',
    ),
    trust: held('recorded-verdicts'),
    signature: held('recorded-verdicts'),
  },
  VerificationRequested: NOTHING,
  FindingDiscarded: NOTHING,
  AcceptedLineReverted: {
    toTree: by(
      "the newest accepted finding that stands, in the other findings' streams, or the source",
    ),
  },
  FindingReviewed: {
    decision: by("the reviewer's; only a finding with PASS can be accepted, which is decided anew"),
    reason: by("the reviewer's"),
  },
  FindingAccepted: NOTHING,
  FindingReplayed: {
    trainingId: held('recorded-verdicts'),
    steps: held('recorded-verdicts'),
    rows: by(
      'whoever trains it again makes them anew; that they bear out the class is decided',
      'recorded-verdicts',
    ),
    environment: held('recorded-verdicts'),
    predictions: held('recorded-verdicts'),
    signature: held('recorded-verdicts'),
  },
  StudyRegistered: { title: by('the study file') },
  StudyPlaced: {
    project: by('who places it'),
    folder: by('who places it'),
    priority: by('who places it'),
  },
  SplitCommitted: { dataDigest: held('data-pinned'), commitment: held('data-pinned') },
  RunRequested: {
    runId: by('who asks'),
    seed: by('who asks'),
    agent: by('who asks'),
  },
  RunCounted: {
    runId: held('data-pinned'),
    seed: by('who opens it; of a requested run it is decided anew'),
  },
  RunRefused: { code: by("the edge's word"), reason: by("the edge's word") },
  SealedRowsOpened: NOTHING,
  SpendCounted: { spent: held('sealed-look') },
  SplitFixed: {
    commitment: held('data-pinned'),
    rowId: held('data-pinned'),
    split: held('data-pinned'),
  },
  TableFixed: {
    commitment: held('data-pinned'),
    studyId: held('data-pinned'),
    runId: held('data-pinned'),
    table: by(
      "whether the policy lets several tables leave stands in the runs' streams",
      'data-pinned',
    ),
  },
  LookCounted: { studyId: held('sealed-look'), runId: held('sealed-look') },
  LedgerRead: { operation: by("the API's word"), asked: by("the API's word") },
  WorkerAdmitted: {
    keyId: by('the digest of the public key: computed where a key comes in'),
    publicKey: by('the operator'),
    label: by('the operator'),
  },
  WorkerDismissed: { reason: by('the operator') },
  TextErased: {
    stream: by('the operator'),
    revision: by('the operator'),
    keyId: by('the operator'),
  },
  PersonErased: { personId: by('the operator') },
};
