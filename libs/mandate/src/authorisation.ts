import { ok, refused, ROLES, type Actor, type Refusal, type Result, type Role } from '#libs/kernel';
import type { MandateRow } from './mandate.ts';

/** What somebody can do to a study, a run, a finding or the fleet. */
interface Act {
  /** The row of the mandate that it comes under; null: it has nothing to do with what a finding says. */
  readonly row: MandateRow | null;
  readonly what: string;
  /** Who may. Nobody: there is no command and no route that does it, and none may be made. */
  readonly roles: readonly (Role | 'harness')[];
  /** Commands that do it, by type. */
  readonly commands: readonly string[];
  /** Operations of the HTTP API that do it, by id. */
  readonly operations: readonly string[];
}

/** Everybody who looks at the ledger; an agent does not. */
const READERS = ['researcher', 'reviewer', 'auditor', 'operator'] as const;

/**
 * Who may do what: the one table. The runner refuses every command that is not in it, or not from somebody whom it names;
 * a test walks all commands and all routes. An agent may do what comes under the two allowed rows, and nothing else.
 */
export const ACTS = {
  'read-cohorts': {
    row: 'cohort-statistics',
    what: 'read the study brief, the cohort table, the mutable files and its own view; ask for cohorts of it',
    roles: ['agent'],
    commands: ['RequestData'],
    operations: ['getBrief', 'getCohortTable', 'getMutableFiles', 'getAgentView'],
  },
  'propose-patterns': {
    row: 'aggregate-trends',
    what: 'propose a hypothesis about cohorts, the mutation that tests it, a secondary metric, the line as a finding',
    roles: ['agent'],
    commands: [
      'ProposeHypothesis',
      'ProposeMutation',
      'RefuseProposal',
      'ProposeSecondaryMetric',
      'FinishLoop',
    ],
    operations: ['proposeHypothesis', 'proposeMutation', 'proposeMetric', 'proposeFinding'],
  },
  'read-individual-records': {
    row: 'individual-records',
    what: 'read or evaluate the record of a person',
    roles: [],
    commands: [],
    operations: [],
  },
  'decide-about-individuals': {
    row: 'individual-decisions',
    what: 'record a decision about a person',
    roles: [],
    commands: [],
    operations: [],
  },
  'recommend-to-entities': {
    row: 'specific-recommendations',
    what: 'record a recommendation to somebody',
    roles: [],
    commands: [],
    operations: [],
  },
  'judge-findings': {
    row: 'applied-findings',
    what: 'accept or reject a finding, which moves the accepted line',
    roles: ['reviewer'],
    commands: ['ReviewFinding'],
    operations: ['reviewFinding'],
  },
  'apply-findings': {
    row: 'applied-findings',
    what: 'apply a finding to decisions, or override a verdict or a gate',
    roles: [],
    commands: [],
    operations: [],
  },
  'ask-for-verdicts': {
    row: null,
    what: 'ask for a finding to be verified again',
    roles: READERS,
    commands: ['RequestVerification'],
    operations: ['verifyFinding'],
  },
  'replay-findings': {
    row: null,
    what: 'train a finding again and record what came of it',
    roles: READERS,
    commands: ['RecordReplay'],
    operations: [],
  },
  'read-the-ledger': {
    row: null,
    what: 'read studies, runs, ledgers and findings',
    roles: READERS,
    commands: [],
    operations: [
      'listStudies',
      'getStudy',
      'listRuns',
      'getRun',
      'listRunEvents',
      'watchRun',
      'listCutovers',
      'listRestorePoints',
      'getRestorePoint',
      'getRestorePointTree',
      'listCharges',
      'getLedger',
      'listFindings',
      'getFinding',
      'getFindingExport',
      'listChanges',
      'listAccesses',
      'listIncidents',
      'listFindingsAt',
      'listReviews',
      'traceEvent',
      'getFindingBundle',
      'getCheckpoint',
      'getTile',
    ],
  },
  'have-reads-recorded': {
    row: null,
    what: 'leave a trace of reading',
    roles: ['auditor'],
    commands: ['RecordRead'],
    operations: [],
  },
  'register-studies': {
    row: null,
    what: 'register a study, ask for a run',
    roles: ['researcher'],
    commands: ['RegisterStudy', 'RequestRun'],
    operations: ['registerStudy', 'openRun'],
  },
  'open-runs': {
    row: null,
    what: 'count and open a run that was asked for',
    roles: ['researcher', 'harness'],
    commands: ['CountRun', 'OpenRun'],
    operations: [],
  },
  'end-runs': {
    row: null,
    what: 'stop a loop or halt a run, with a reason',
    roles: ['researcher', 'operator'],
    commands: ['StopLoop', 'HaltRun'],
    operations: ['stopRun', 'haltRun'],
  },
  'place-studies': {
    row: null,
    what: 'place a study in a project and a queue; who registers one says where it begins',
    roles: ['researcher', 'operator'],
    commands: ['PlaceStudy'],
    operations: [],
  },
  'run-the-service': {
    row: null,
    what: 'rank studies, admit and dismiss workers, settle dead letters, read what the server measures',
    roles: ['operator'],
    commands: ['AdmitWorker', 'DismissWorker'],
    operations: [
      'placeStudy',
      'listWorkers',
      'admitWorker',
      'dismissWorker',
      'listDeadLetters',
      'retryDeadLetter',
      'discardDeadLetter',
      'getMetrics',
    ],
  },
  'sign-the-log': {
    row: null,
    what: 'sign what the log is at a size, keep who else holds it, raise the alarm',
    roles: ['harness'],
    commands: ['OpenNotary', 'RecordCheckpoint', 'RecordAnchor', 'RaiseAlarm'],
    operations: [],
  },
  'keep-the-notary': {
    row: null,
    what: "change the notary's key, settle its alarm with a reason, vouch for the append that it is about",
    roles: ['operator'],
    commands: ['RotateNotaryKey', 'SettleAlarm'],
    operations: [],
  },
  'erase-personal-data': {
    row: null,
    what: 'erase what a human wrote, or who a person was, for good; see who the ids of people stand for',
    roles: ['operator'],
    commands: ['EraseText', 'ErasePerson'],
    operations: ['listPeople', 'erasePerson', 'eraseText'],
  },
  'drive-runs': {
    row: null,
    what: 'measure, decide, charge, revert, score, verify and sign',
    roles: ['harness'],
    commands: [
      'CommitSplit',
      'RefuseRun',
      'FixSplit',
      'FixTable',
      'CountLook',
      'OpenSealedRows',
      'CountSpend',
      'LaunchBaseline',
      'RecordTraining',
      'ObserveMetric',
      'CutOver',
      'Judge',
      'SignRunHead',
      'CloseRun',
      'ProposeFinding',
      'RecordVerdict',
    ],
    operations: [],
  },
} as const satisfies Readonly<Record<string, Act>>;

export type ActName = keyof typeof ACTS;

const ALL: readonly Act[] = Object.values(ACTS);

/** Who may send a command of this type: nobody, for one that the table does not name. */
export const rolesForCommand = (type: string): Act['roles'] =>
  ALL.find(({ commands }) => commands.includes(type))?.roles ?? [];

/** Who may call an operation of the API: nobody, for one that the table does not name. */
export const rolesForOperation = (operation: string): Act['roles'] =>
  ALL.find(({ operations }) => operations.includes(operation))?.roles ?? [];

/** Lets a command through to its decider, or refuses it: the mandate's wall in front of every stream. */
export const authorise = (
  { role }: Pick<Actor, 'role'>,
  command: string,
): Result<null, Refusal<'not-authorised'>> => {
  const roles = rolesForCommand(command);
  return roles.includes(role)
    ? ok(null)
    : refused({
        code: 'not-authorised',
        message: `found ${command} from ${role}, expected it from ${roles.join(' or ') || 'nobody: no act of the mandate has it'}`,
      });
};

/** Events that what an agent sends can become: under an agent's name a log holds no others. */
export const EVENTS_OF_AGENTS: readonly string[] = [
  'CohortsServed',
  'HypothesisProposed',
  'MutationProposed',
  'ProposalRefused',
  'SecondaryMetricProposed',
  'GatePassed',
  'BudgetCharged',
  'BudgetExhausted',
  'RunHalted',
  'LoopEnded',
];

/** The roles in the order of the tables, the harness last. */
export const ACTORS: readonly (Role | 'harness')[] = [...ROLES, 'harness'];
