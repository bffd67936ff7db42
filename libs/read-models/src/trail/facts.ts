import type { ErasureEvent } from '#libs/erasures';
import type { FindingEvent } from '#libs/findings';
import type { FleetEvent } from '#libs/fleet';
import type { FairnessReport } from '#libs/harness';
import { counted, type PrivateText, type RecordedEvent } from '#libs/kernel';
import type { LedgerRead, LedgerReadEvent } from '#libs/ledger-reads';
import { shownAppend, type NotaryEvent } from '#libs/notary';
import type { RunEvent } from '#libs/run';
import type { DataEvent, StudyEvent } from '#libs/studies';
import type { Recorded } from '../change.ts';
import type { AccessKind, ChangeKind, IncidentKind } from './table.ts';

/** Every event that a log can hold. */
export type AnyFact =
  | RunEvent
  | FindingEvent
  | StudyEvent
  | DataEvent
  | FleetEvent
  | LedgerReadEvent
  | ErasureEvent
  | NotaryEvent;

export type KnownEvent = Recorded<AnyFact>;

/** What the list of changes shows of an event besides who, when and where. */
export interface ChangeDetail {
  /** The mutation, finding, run, study or key that it is about. */
  readonly subject: string;
  /** Why, or by which rule. */
  readonly grounds: string | null;
  readonly fromTree: string | null;
  readonly toTree: string | null;
  /** Of a run that opens: what it is pinned to, to be compared with the study's run before it. */
  readonly pinned?: unknown;
}

export interface AccessDetail {
  readonly dataDigest: string | null;
  /** Cells and people in what was given out or looked at. */
  readonly cells: number | null;
  readonly people: number | null;
  /** Cells and people that were kept back; null: not known, or withheld since it would tell of a hidden cell. */
  readonly suppressedCells: number | null;
  readonly suppressedPeople: number | null;
  /** The nth look at sealed rows. */
  readonly look: number | null;
  /** What was released by it, in a sentence; null: nothing left the harness. */
  readonly released: string | null;
  readonly operation: string | null;
  readonly asked: unknown;
}

export interface IncidentDetail {
  /** Which wall was hit, which rule or chart decided. */
  readonly by: string | null;
  readonly reason: string;
  readonly mutationId: string | null;
  /** Rule, found, expected, file and line, of each. */
  readonly breaches: readonly unknown[];
  /** Mutations taken back. */
  readonly undone: readonly string[];
  readonly fromTree: string | null;
  readonly toTree: string | null;
  /** Charts that fired, with sum and decision interval. */
  readonly fired: readonly unknown[];
  readonly z: number | null;
  readonly threshold: number | null;
  /** Place of the observation whose readings belong to it. */
  readonly observed: string | null;
}

/** What an event says to the lists. */
export interface Facts {
  readonly what: string;
  readonly studyId?: string;
  readonly runId?: string;
  readonly findingId?: string;
  readonly change?: readonly [ChangeKind, ChangeDetail];
  readonly access?: readonly [AccessKind, AccessDetail];
  readonly incident?: readonly [IncidentKind, IncidentDetail];
  /** Of an observation at which a chart fired: every chart's reading. */
  readonly readings?: unknown;
  /** Of a verdict or a review. */
  readonly said?: unknown;
  /** What a human wrote, as the log holds it. */
  readonly note?: PrivateText;
  readonly makes?: readonly string[];
  readonly uses?: readonly string[];
}

const after = (stream: string, prefix: string): string => stream.slice(prefix.length);

/** A finding's id is its run's with `-f<n>`. */
const runOfFinding = (findingId: string): string => findingId.replace(/-f\d+$/, '');

const changed = (
  kind: ChangeKind,
  subject: string,
  grounds: string | null = null,
  trees: { readonly fromTree?: string; readonly toTree?: string } = {},
): Pick<Facts, 'change'> => ({
  change: [
    kind,
    { subject, grounds, fromTree: trees.fromTree ?? null, toTree: trees.toTree ?? null },
  ],
});

const NO_ACCESS: AccessDetail = {
  dataDigest: null,
  cells: null,
  people: null,
  suppressedCells: null,
  suppressedPeople: null,
  look: null,
  released: null,
  operation: null,
  asked: null,
};

const accessed = (kind: AccessKind, detail: Partial<AccessDetail>): Pick<Facts, 'access'> => ({
  access: [kind, { ...NO_ACCESS, ...detail }],
});

const NO_INCIDENT: Omit<IncidentDetail, 'reason'> = {
  by: null,
  mutationId: null,
  breaches: [],
  undone: [],
  fromTree: null,
  toTree: null,
  fired: [],
  z: null,
  threshold: null,
  observed: null,
};

const happened = (
  kind: IncidentKind,
  detail: Pick<IncidentDetail, 'reason'> & Partial<IncidentDetail>,
): Pick<Facts, 'incident'> => ({ incident: [kind, { ...NO_INCIDENT, ...detail }] });

const ruled = (z: number, threshold: number): string =>
  `z ${z.toFixed(2)}, asked for ${threshold.toFixed(2)}`;

/** Null: a type that is not known here. */
export const factsOf = (recorded: RecordedEvent): Facts | null => {
  const event = recorded as KnownEvent;
  if (event.stream.startsWith('run-')) return ofRun(event as Recorded<RunEvent>);
  if (event.stream.startsWith('finding-')) return ofFinding(event as Recorded<FindingEvent>);
  if (event.stream.startsWith('study-')) return ofStudy(event as Recorded<StudyEvent>);
  if (event.stream.startsWith('data-')) return ofData(event as Recorded<DataEvent>);
  if (event.stream.startsWith('access-')) return ofReads(recorded);
  if (event.stream === 'fleet') return ofFleet(event as Recorded<FleetEvent>);
  if (event.stream === 'erasures') return ofErasures(event as Recorded<ErasureEvent>);
  if (event.stream === 'notary') return ofNotary(event as Recorded<NotaryEvent>);
  return null;
};

const ofStudy = (event: Recorded<StudyEvent>): Facts | null => {
  const studyId = after(event.stream, 'study-');
  const study = `study:${studyId}`;
  switch (event.type) {
    case 'StudyRegistered':
      return {
        what: `study ${studyId} is registered: ${event.data.title}`,
        studyId,
        ...changed('study-registered', studyId),
        makes: [study],
      };
    case 'StudyPlaced':
      return {
        what: `study ${studyId} is placed in project ${event.data.project}, priority ${event.data.priority}`,
        studyId,
        ...changed('study-placed', studyId),
        uses: [study],
      };
    case 'SplitCommitted':
      return {
        what: `the split of data ${event.data.dataDigest.slice(0, 12)} is committed`,
        studyId,
        makes: [`split-commitment:${event.data.commitment}`],
        uses: [study],
      };
    case 'RunRequested':
      return {
        what: `run ${event.data.runId} is asked for, seed ${event.data.seed}`,
        studyId,
        runId: event.data.runId,
        makes: [`request:${event.data.runId}`],
        uses: [study],
      };
    case 'RunCounted':
      return {
        what: `run ${event.data.runId} is the study's number ${event.data.number}`,
        studyId,
        runId: event.data.runId,
        makes: [`counted:${event.data.runId}`],
        uses: [study, `request:${event.data.runId}`],
      };
    case 'RunRefused': {
      const { runId, reason, code } = event.data;
      return {
        what: `run ${runId} is refused: ${reason}`,
        studyId,
        runId,
        ...changed('run-refused', runId, reason),
        ...happened('run-refused', { by: code, reason }),
        uses: [`request:${runId}`, `counted:${runId}`],
      };
    }
    case 'SealedRowsOpened': {
      const { runId, look } = event.data;
      return {
        what: `sealed rows opened, look ${look} of the study`,
        studyId,
        runId,
        ...accessed('sealed-opened', { look }),
        makes: [`look:${runId}`],
        uses: [`ended:${runId}`],
      };
    }
    case 'SpendCounted':
      return {
        what: `${counted(event.data.spent, 'unit')} added to the study's spend: ${event.data.totalSpent}`,
        studyId,
        runId: event.data.runId,
        uses: [`ended:${event.data.runId}`],
      };
    default:
      return null;
  }
};

const ofData = (event: Recorded<DataEvent>): Facts | null => {
  const { dataDigest } = event.data;
  switch (event.type) {
    case 'SplitFixed':
      return {
        what: `the split of data ${dataDigest.slice(0, 12)} is fixed`,
        makes: [`split:${dataDigest}`],
        uses: [`split-commitment:${event.data.commitment}`],
      };
    case 'TableFixed': {
      const { studyId, runId, table } = event.data;
      return {
        what: `cohort table ${table.slice(0, 12)} is fixed before it leaves the vault`,
        studyId,
        runId,
        ...accessed('table-fixed', { dataDigest }),
        makes: [`table:${runId}`],
        uses: [`split:${dataDigest}`, `counted:${runId}`],
      };
    }
    case 'LookCounted': {
      const { studyId, runId, look } = event.data;
      return {
        what: `sealed rows opened, look ${look} of all studies`,
        studyId,
        runId,
        ...accessed('look-counted', { dataDigest, look }),
        makes: [`look:${runId}`],
        uses: [`ended:${runId}`],
      };
    }
    default:
      return null;
  }
};

/** What an event is about, by the name of its stream. */
const ofStream = (stream: string): Pick<Facts, 'studyId' | 'runId' | 'findingId'> => {
  if (stream.startsWith('study-')) return { studyId: after(stream, 'study-') };
  if (stream.startsWith('run-')) return { runId: after(stream, 'run-') };
  if (!stream.startsWith('finding-')) return {};
  const findingId = after(stream, 'finding-');
  return { findingId, runId: runOfFinding(findingId) };
};

/** What a read was about, as far as the names in it tell. Whether that exists, and for whom, the list asks. */
const aboutOf = (
  asked: Readonly<Record<string, unknown>>,
): Pick<Facts, 'studyId' | 'runId' | 'findingId'> => {
  const named = (...names: readonly string[]): string | undefined =>
    names.map((name) => asked[name]).find((value) => typeof value === 'string');
  const findingId = named('findingId', 'finding');
  const runId =
    named('runId', 'run') ?? (findingId === undefined ? undefined : runOfFinding(findingId));
  const studyId = named('studyId', 'study');
  return {
    ...(studyId !== undefined && { studyId }),
    ...(runId !== undefined && { runId }),
    ...(findingId !== undefined && { findingId }),
  };
};

const ofReads = (event: RecordedEvent): Facts | null => {
  if (event.type !== 'LedgerRead') return null;
  const { operation, asked } = event.data as LedgerRead['data'];
  const named = Object.entries(asked).map(([name, value]) => `${name} ${String(value)}`);
  return {
    what: [operation, ...(named.length > 0 ? [named.join(', ')] : [])].join(': '),
    ...aboutOf(asked),
    ...accessed('ledger-read', { operation, asked }),
  };
};

const ofErasures = (event: Recorded<ErasureEvent>): Facts | null => {
  switch (event.type) {
    case 'TextErased': {
      const place = `${event.data.stream}@${event.data.revision}`;
      return {
        what: `what a human wrote in ${place} is erased`,
        ...ofStream(event.data.stream),
        ...changed('text-erased', place),
        uses: [`event:${place}`],
      };
    }
    case 'PersonErased':
      return {
        what: `who ${event.data.personId} was is erased`,
        ...changed('person-erased', event.data.personId),
      };
    default:
      return null;
  }
};

const ofFleet = (event: Recorded<FleetEvent>): Facts | null => {
  switch (event.type) {
    case 'WorkerAdmitted':
      return {
        what: `worker ${event.data.label} (${event.data.keyId}) is admitted`,
        ...changed('worker-admitted', event.data.keyId),
        makes: [`admitted:${event.data.keyId}`],
      };
    case 'WorkerDismissed':
      return {
        what: `worker ${event.data.keyId} is dismissed`,
        ...changed('worker-dismissed', event.data.keyId),
        note: event.data.reason,
        uses: [`admitted:${event.data.keyId}`],
      };
    default:
      return null;
  }
};

const ofNotary = (event: Recorded<NotaryEvent>): Facts | null => {
  switch (event.type) {
    case 'NotaryOpened':
      return {
        what: `the notary signs for ${event.data.origin}`,
        ...changed('notary-opened', event.data.verifierKey),
        makes: ['notary:key'],
      };
    case 'NotaryKeyRotated':
      return {
        what: `the notary signs with ${event.data.to} from here on`,
        ...changed(
          'notary-key-rotated',
          event.data.to,
          `signed by both; before: ${event.data.from}`,
        ),
        makes: ['notary:key'],
        uses: ['notary:key'],
      };
    case 'CheckpointSigned': {
      const { size, newest } = event.data;
      return {
        what: `the log is signed at size ${size}`,
        makes: [`checkpoint:${size}`],
        uses: ['notary:key', `event:${newest.stream}@${newest.revision}`],
      };
    }
    case 'CheckpointAnchored':
      return {
        what: `the checkpoint of size ${event.data.size} is anchored: ${event.data.kind} ${event.data.by}`,
        uses: [`checkpoint:${event.data.size}`],
      };
    case 'NotaryAlarmRaised': {
      const { reason, found, expected } = event.data;
      return {
        what: `the notary refuses to sign: found ${found}, expected ${expected}`,
        ...happened('alarm', {
          by: 'notary',
          reason,
          breaches: [{ rule: reason, found, expected, file: null, line: null }],
        }),
        makes: ['notary:alarm'],
      };
    }
    case 'NotaryAlarmSettled': {
      const { accepts, reason } = event.data;
      const vouched =
        accepts === null ? null : `accepted against the rules' replay: ${shownAppend(accepts)}`;
      return {
        what: `an alarm of the notary is settled${vouched === null ? '' : `, ${vouched}`}`,
        ...changed('alarm-settled', 'notary', vouched),
        note: reason,
        uses: ['notary:alarm'],
      };
    }
    default:
      return null;
  }
};

const ofFinding = (event: Recorded<FindingEvent>): Facts | null => {
  const findingId = after(event.stream, 'finding-');
  const about = ofStream(event.stream);
  const finding = `finding:${findingId}`;
  switch (event.type) {
    case 'FindingProposed': {
      const { statement, claim, chain, sealedLook } = event.data;
      const { lower, upper } = claim.interval;
      return {
        what: statement,
        findingId,
        runId: chain.runId,
        studyId: chain.studyId,
        ...accessed('claim-released', {
          dataDigest: claim.look?.dataDigest ?? null,
          people: claim.n,
          look: sealedLook,
          released: `estimate ${claim.estimate.toFixed(4)} (${lower.toFixed(4)} to ${upper.toFixed(4)})`,
        }),
        makes: [finding],
        uses: [
          `event:run-${chain.runId}@${chain.runHead.revision}`,
          `look:${chain.runId}`,
          ...chain.mutations.map((mutationId) => `kept:${mutationId}`),
        ],
      };
    }
    case 'FindingVerified': {
      const { verdict, rows, trust } = event.data;
      const failed = rows.filter(({ passed }) => !passed);
      return {
        what:
          failed.length === 0
            ? `${verdict}: all ${rows.length} rows hold`
            : `${verdict}: ${failed.map(({ row }) => row).join(', ')}`,
        ...about,
        said: { verdict, trust },
        // It answers who asked for it last; a later one that nobody asked for follows this one.
        makes: [`verdict:${findingId}`, `verification:${findingId}`],
        uses: [finding, `verification:${findingId}`],
      };
    }
    case 'VerificationRequested':
      return {
        what: 'a verdict is asked for anew',
        ...about,
        makes: [`verification:${findingId}`],
        uses: [finding],
      };
    case 'FindingDiscarded': {
      const reason = event.data.reasons.join('; ');
      return {
        what: `the finding is discarded: ${reason}`,
        ...about,
        ...changed('finding-discarded', findingId, reason),
        ...happened('finding-discarded', { by: 'verdict', reason }),
        uses: [`verdict:${findingId}`],
      };
    }
    case 'AcceptedLineReverted': {
      const { fromTree, toTree } = event.data;
      const reason = 'a BLOCK on the finding that the accepted line stood on';
      return {
        what: 'the accepted line goes back to the last verified state',
        ...about,
        ...changed('line-reverted', findingId, reason, { fromTree, toTree }),
        ...happened('line-reverted', { by: 'verdict', reason, fromTree, toTree }),
        uses: [`verdict:${findingId}`, `accepted:${findingId}`],
      };
    }
    case 'FindingReviewed': {
      const { decision, reason } = event.data;
      return {
        what: `the finding is ${decision}`,
        ...about,
        ...changed('finding-reviewed', findingId, decision),
        said: { decision },
        note: reason,
        makes: [`review:${findingId}`],
        uses: [finding, `verdict:${findingId}`],
      };
    }
    case 'FindingAccepted':
      return {
        what: "the accepted line moves to the finding's tree",
        ...about,
        ...changed('line-moved', findingId, null, { toTree: event.data.tree }),
        makes: [`accepted:${findingId}`],
        uses: [`review:${findingId}`],
      };
    case 'FindingReplayed': {
      const { trainingId, class: found, rows } = event.data;
      const differing = rows.filter(({ outcome }) => outcome === 'differs');
      const isMeasured = rows.some(
        ({ row, outcome }) => row === 'metric' && outcome !== 'attested',
      );
      return {
        what: `the finding's training is done again${isMeasured ? ', and scored on the rows' : ''}: ${found}`,
        ...about,
        ...accessed('replayed', { released: 'cohort table, to the program' }),
        ...(found === 'not-reproducible' &&
          happened('not-reproducible', {
            by: 'replay',
            reason: 'the training could not be done again with the same result',
            breaches: differing.map(({ row, outcome, found: value, expected }) => ({
              ...{ rule: `${row} ${outcome}`, found: value, expected },
              ...{ file: null, line: null },
            })),
          })),
        uses: [finding, `training:${trainingId}`],
      };
    }
    default:
      return null;
  }
};

/** People in the groups of the attribute that has the most of them: each is in one group of an attribute. */
const peopleIn = (groups: FairnessReport['groups']): number => {
  const people = new Map<string, number>();
  for (const { attribute, people: more } of groups)
    people.set(attribute, (people.get(attribute) ?? 0) + more);
  return Math.max(0, ...people.values());
};

const PURPOSES = {
  baseline: 'the baseline',
  candidate: 'a candidate',
  replicate: 'a replicate',
  remeasurement: 'the incumbent again',
} as const;

const ofRun = (event: Recorded<RunEvent>): Facts | null => {
  const runId = after(event.stream, 'run-');
  const run = `run:${runId}`;
  const state = (commit: string): string => `state:${runId}:${commit}`;
  const about = { runId };
  switch (event.type) {
    case 'RunOpened': {
      const { studyId, pins, policy, seed, cohorts, forkedFrom } = event.data;
      const from =
        forkedFrom === null
          ? []
          : [
              forkedFrom.mutationId === null
                ? `run:${forkedFrom.runId}`
                : `kept:${forkedFrom.mutationId}`,
            ];
      return {
        what: `run ${runId} opens, seed ${seed}${forkedFrom === null ? '' : `, forked from ${forkedFrom.runId}`}`,
        runId,
        studyId,
        change: [
          'run-opened',
          {
            subject: runId,
            grounds: null,
            fromTree: null,
            toTree: pins.tree,
            pinned: { pins: pinsOf(pins), policy },
          },
        ],
        ...(cohorts !== null &&
          accessed('cohorts-released', {
            dataDigest: pins.dataDigest,
            cells: cohorts.released.cells,
            people: cohorts.released.people,
            suppressedCells: cohorts.suppressed?.cells ?? null,
            suppressedPeople: cohorts.suppressed?.people ?? null,
            released: `cohort table ${cohorts.table.sha256.slice(0, 12)}, cells of ${cohorts.minimumCell} people or more`,
          })),
        makes: [run, state(pins.pinCommit)],
        uses: [`counted:${runId}`, `table:${runId}`, `split:${pins.dataDigest}`, ...from],
      };
    }
    case 'GatePassed': {
      const { gate, checks, mutationId } = event.data;
      const fairness =
        gate === 'post-loop' && mutationId !== null ? [`fairness:${mutationId}`] : [];
      return {
        what: `the ${gate} gate is passed, ${counted(checks.length, 'check')}`,
        ...about,
        makes: [`gate:${mutationId ?? runId}:${gate}`],
        uses: [mutationId === null ? run : `mutation:${mutationId}`, ...fairness],
      };
    }
    case 'RunHalted': {
      const { by, reason, breaches, mutationId, message, note } = event.data;
      const rests =
        by === 'baseline'
          ? // The training that failed stands right before it, in the same append.
            [`event:${event.stream}@${event.revision - 1}`]
          : by === 'post-loop' && mutationId !== null
            ? [`fairness:${mutationId}`]
            : [];
      return {
        what: message,
        ...about,
        ...changed('run-halted', runId, reason),
        ...happened('halt', { by, reason, breaches, mutationId }),
        ...(note !== null && { note }),
        ...(by === 'data-request' && accessed('request-refused', {})),
        makes: [`ended:${runId}`],
        uses: [mutationId === null ? run : `mutation:${mutationId}`, ...rests],
      };
    }
    case 'TrainingLaunched': {
      const { trainingId, purpose, mutationId, tree, seconds } = event.data;
      return {
        what: `training of ${PURPOSES[purpose]}, tree ${tree.slice(0, 12)}, ${seconds} s`,
        ...about,
        ...accessed('table-given', { released: 'cohort table, to the program' }),
        makes: [`training:${trainingId}`],
        uses: [mutationId === null ? run : `cutover:${mutationId}`],
      };
    }
    case 'WorkerEnlisted':
      return {
        what: `worker ${event.data.keyId} signs in this run`,
        ...about,
        makes: [`enlisted:${runId}:${event.data.keyId}`],
        uses: [run, `admitted:${event.data.keyId}`],
      };
    case 'TrainingCompleted': {
      const { trainingId, steps, signature } = event.data;
      return {
        what: `the training ends after ${counted(steps, 'step')}`,
        ...about,
        makes: [`result:${trainingId}`],
        uses: [`training:${trainingId}`, `enlisted:${runId}:${signature.keyId}`],
      };
    }
    case 'TrainingFailed': {
      const { trainingId, failure, detail, signature } = event.data;
      return {
        what: `the training fails: ${failure}`,
        ...about,
        ...(failure === 'discarded' && changed('training-given-up', trainingId, detail)),
        makes: [`result:${trainingId}`],
        uses: [`training:${trainingId}`, `enlisted:${runId}:${signature.keyId}`],
      };
    }
    case 'TrainingTimedOut': {
      const { trainingId, seconds, signature } = event.data;
      return {
        what: `the training is stopped after ${seconds} s`,
        ...about,
        makes: [`result:${trainingId}`],
        uses: [`training:${trainingId}`, `enlisted:${runId}:${signature.keyId}`],
      };
    }
    case 'MetricObserved': {
      const { trainingId, purpose, mutationId, observation, charts, ladderScore } = event.data;
      const { metric } = observation;
      return {
        what: `${metric.name} ${metric.value.toFixed(4)} ± ${metric.standardError.toFixed(4)} of ${PURPOSES[purpose]}`,
        ...about,
        ...accessed('rows-scored', {
          cells: observation.cells.scored,
          suppressedCells: observation.cells.suppressed,
          people: metric.n,
          released: ladderScore === null ? null : `the score ${ladderScore}, to the agent`,
        }),
        ...(charts.some(({ fired }) => fired) && {
          readings: {
            trainingId,
            charts,
            metric: metric.value,
            standardError: metric.standardError,
          },
        }),
        makes: [
          `observation:${trainingId}`,
          ...(mutationId === null ? [`observed:${runId}`] : [`measured:${mutationId}`]),
        ],
        uses: [`result:${trainingId}`],
      };
    }
    case 'BaselineEstablished': {
      const { metric, replicates, commit, trainingId } = event.data;
      return {
        what: `the baseline is ${metric.toFixed(4)}, of ${counted(replicates, 'training')}`,
        ...about,
        makes: [`baseline:${runId}`, state(commit)],
        uses: [`observation:${trainingId}`, `observed:${runId}`],
      };
    }
    case 'HypothesisProposed':
      return {
        what: `hypothesis ${event.data.number}: ${event.data.statement}`,
        ...about,
        makes: [`hypothesis:${event.data.hypothesisId}`],
        uses: [`baseline:${runId}`],
      };
    case 'BudgetCharged': {
      const { cost, remaining, charge, paysFor } = event.data;
      const kind = charge === 'hypothesis' || charge === 'metric' ? charge : ('mutation' as const);
      return {
        what: `${counted(cost, 'unit')} charged for ${charge}, ${remaining} left`,
        ...about,
        makes: [`paid:${paysFor}`],
        uses: [`${kind}:${paysFor}`],
      };
    }
    case 'BudgetExhausted': {
      const { charge, asked, message } = event.data;
      const reason = `${charge} asked for ${asked}`;
      return {
        what: message,
        ...about,
        ...happened('budget-exhausted', { by: 'budget', reason }),
        uses: [run],
      };
    }
    case 'MutationProposed': {
      const { mutationId, hypothesisId, number, summary, baseCommit } = event.data;
      return {
        what: `mutation ${number}: ${summary}`,
        ...about,
        makes: [`mutation:${mutationId}`],
        uses: [`hypothesis:${hypothesisId}`, state(baseCommit)],
      };
    }
    case 'ProposalRefused':
      return {
        what: `the proposal is refused: ${event.data.reason}`,
        ...about,
        uses: [`hypothesis:${event.data.hypothesisId}`],
      };
    case 'SecondaryMetricProposed':
      return {
        what: `secondary metric ${event.data.name}`,
        ...about,
        makes: [`metric:${event.data.metricId}`],
        uses: [`hypothesis:${event.data.hypothesisId}`],
      };
    case 'CohortsServed': {
      const { dimensions, cells, people } = event.data;
      const released = `cohorts by ${dimensions.join(', ') || 'nothing'}, of the base table`;
      return {
        what: `${released}: ${counted(cells, 'cell')}, ${people} people`,
        ...about,
        ...accessed('cohorts-served', { cells, people, released }),
        uses: [run],
      };
    }
    case 'RestorePointTaken': {
      const { restorePointId, mutationId, commit, tree, trainingId } = event.data;
      return {
        what: `the state before the mutation, tree ${tree.slice(0, 12)}`,
        ...about,
        makes: [`restore-point:${restorePointId}`],
        uses: [`mutation:${mutationId}`, `observation:${trainingId}`, state(commit)],
      };
    }
    case 'MutationCutOver': {
      const { mutationId, restorePointId, summary, fromTree, toTree, why } = event.data;
      return {
        what: `on trial: ${summary}`,
        ...about,
        ...changed('cut-over', mutationId, `mid-loop gate passed; ${why}`, { fromTree, toTree }),
        makes: [`cutover:${mutationId}`],
        uses: [
          `restore-point:${restorePointId}`,
          `mutation:${mutationId}`,
          `gate:${mutationId}:mid-loop`,
          `paid:${mutationId}`,
        ],
      };
    }
    case 'MutationReverted': {
      const { mutationId, reason, fromTree, toTree, ruling } = event.data;
      const [z, threshold] = [ruling?.z ?? null, ruling?.threshold ?? null];
      const why = reason.replaceAll('-', ' ');
      const grounds = ruling === null ? why : `${why}: ${ruled(ruling.z, ruling.threshold)}`;
      return {
        what: `taken back, ${grounds}`,
        ...about,
        ...changed('reverted', mutationId, grounds, { fromTree, toTree }),
        ...happened('reverted', {
          ...{ by: 'keep rule', reason, mutationId, undone: [mutationId] },
          ...{ fromTree, toTree, z, threshold },
        }),
        uses: [
          `cutover:${mutationId}`,
          `measured:${mutationId}`,
          `fairness:${mutationId}`,
          // What the training came to stands right before it, in the same append.
          ...(reason === 'training-failed' || reason === 'timed-out'
            ? [`event:${event.stream}@${event.revision - 1}`]
            : []),
        ],
      };
    }
    case 'FairnessMeasured': {
      const { mutationId, trainingId, report } = event.data;
      return {
        what: `fairness of the candidate, ${counted(report.measures.length, 'measure')}`,
        ...about,
        ...accessed('fairness-measured', { people: peopleIn(report.groups) }),
        makes: [`fairness:${mutationId}`],
        uses: [`observation:${trainingId}`],
      };
    }
    case 'MutationKept': {
      const { mutationId, trainingId, commit, tree, metric, ruling } = event.data;
      const grounds = ruled(ruling.z, ruling.threshold);
      return {
        what: `kept at ${metric.toFixed(4)}: ${grounds}`,
        ...about,
        ...changed('kept', mutationId, `keep rule: ${grounds}`, { toTree: tree }),
        makes: [`kept:${mutationId}`, state(commit)],
        uses: [
          `cutover:${mutationId}`,
          `observation:${trainingId}`,
          `measured:${mutationId}`,
          `gate:${mutationId}:post-loop`,
        ],
      };
    }
    case 'DivergenceDetected': {
      const { mutationId, fired } = event.data;
      const said = fired
        .map((one) => `${one.chart} ${one.sum.toFixed(4)} > h ${one.decisionInterval}`)
        .join(', ');
      return {
        what: said,
        ...about,
        ...happened('divergence', {
          by: fired.map(({ chart }) => chart).join(', '),
          reason: said,
          mutationId,
          fired,
          // The observation stands right before it, in the same append.
          observed: `${event.stream}@${event.revision - 1}`,
        }),
        makes: [`divergence:${event.stream}@${event.revision}`],
        uses: [`event:${event.stream}@${event.revision - 1}`],
      };
    }
    case 'RunReverted': {
      const { fromTree, toTree, toCommit, toTrainingId, mutationId, undone, reason } = event.data;
      return {
        what: `back to the last stable state; undone: ${undone.length}`,
        ...about,
        ...changed('run-reverted', runId, reason, { fromTree, toTree }),
        ...happened('run-reverted', {
          ...{ by: 'monitor', reason, mutationId, undone, fromTree, toTree },
          observed: `${event.stream}@${event.revision - 2}`,
        }),
        makes: [state(toCommit)],
        uses: [
          `divergence:${event.stream}@${event.revision - 1}`,
          state(toCommit),
          `observation:${toTrainingId}`,
          ...undone.flatMap((id) => [`cutover:${id}`, `kept:${id}`]),
        ],
      };
    }
    case 'LoopEnded': {
      const { reason, message, note, commit, spent, total, tree } = event.data;
      return {
        what: `${message} ${spent} of ${total} spent.`,
        ...about,
        ...changed('loop-ended', runId, reason, { toTree: tree }),
        ...(note !== null && { note }),
        makes: [`ended:${runId}`],
        uses: [run, state(commit)],
      };
    }
    case 'RunHeadSigned':
      return {
        what: `the runner signs the stream up to revision ${event.data.revision}`,
        ...about,
        uses: [`event:${event.stream}@${event.data.revision}`],
      };
    case 'RunClosed':
      return {
        what: `every finding has its verdict: ${event.data.findings.length}`,
        ...about,
        uses: event.data.findings.map(({ findingId }) => `verdict:${findingId}`),
      };
    default:
      return null;
  }
};

/** What can differ between two runs of a study without its policy. */
const pinsOf = ({
  commit,
  tree,
  dataDigest,
  environmentDigest,
}: {
  readonly commit: string;
  readonly tree: string;
  readonly dataDigest: string;
  readonly environmentDigest: string;
}) => ({ commit, tree, dataDigest, environmentDigest });
