import type { Role } from '#libs/kernel';
import { rolesForOperation } from '#libs/mandate';

type Permission = 'public' | readonly Role[];

/** The roles that the mandate's table gives an operation; the harness is nobody who calls. */
const by = (operation: string): Permission =>
  rolesForOperation(operation).filter((role) => role !== 'harness');

/**
 * Who may call what, by operation id, as the mandate's table of acts has it. `public` needs no token. A route without a
 * row here keeps the server from starting, and so does a row without a route; an operation that no act of the mandate
 * names is nobody's.
 */
export const PERMISSIONS = {
  // Of the server.
  getLiveness: 'public',
  getReadiness: 'public',
  getOpenApiDocument: 'public',
  getMetrics: by('getMetrics'),

  // Studies.
  listStudies: by('listStudies'),
  getStudy: by('getStudy'),
  registerStudy: by('registerStudy'),
  placeStudy: by('placeStudy'),

  // Runs.
  listRuns: by('listRuns'),
  getRun: by('getRun'),
  listRunEvents: by('listRunEvents'),
  watchRun: by('watchRun'),
  openRun: by('openRun'),
  haltRun: by('haltRun'),
  stopRun: by('stopRun'),

  // Ledgers.
  listCutovers: by('listCutovers'),
  listRestorePoints: by('listRestorePoints'),
  getRestorePoint: by('getRestorePoint'),
  getRestorePointTree: by('getRestorePointTree'),
  listCharges: by('listCharges'),
  getLedger: by('getLedger'),

  // Findings.
  listFindings: by('listFindings'),
  getFinding: by('getFinding'),
  getFindingExport: by('getFindingExport'),
  getFindingBundle: by('getFindingBundle'),
  verifyFinding: by('verifyFinding'),
  reviewFinding: by('reviewFinding'),

  // What regulators ask.
  listChanges: by('listChanges'),
  listAccesses: by('listAccesses'),
  listIncidents: by('listIncidents'),
  listFindingsAt: by('listFindingsAt'),
  listReviews: by('listReviews'),
  traceEvent: by('traceEvent'),

  // The log as a whole.
  getCheckpoint: by('getCheckpoint'),
  getTile: by('getTile'),

  // The fleet.
  listWorkers: by('listWorkers'),
  admitWorker: by('admitWorker'),
  dismissWorker: by('dismissWorker'),
  listDeadLetters: by('listDeadLetters'),
  retryDeadLetter: by('retryDeadLetter'),
  discardDeadLetter: by('discardDeadLetter'),

  // People, and what they wrote.
  listPeople: by('listPeople'),
  erasePerson: by('erasePerson'),
  eraseText: by('eraseText'),

  // All that an agent may call: read four things of its own run, propose four.
  getBrief: by('getBrief'),
  getCohortTable: by('getCohortTable'),
  getMutableFiles: by('getMutableFiles'),
  getAgentView: by('getAgentView'),
  proposeHypothesis: by('proposeHypothesis'),
  proposeMutation: by('proposeMutation'),
  proposeMetric: by('proposeMetric'),
  proposeFinding: by('proposeFinding'),
} satisfies Readonly<Record<string, Permission>>;

export type OperationId = keyof typeof PERMISSIONS;

/** Of the log as a whole: hashes and sizes alone. A server may be told to give them to anybody. */
const OF_THE_LOG: ReadonlySet<OperationId> = new Set(['getCheckpoint', 'getTile']);

/** Whether a request without a token is let in. */
export const isOpen = (operation: OperationId, publicLog: boolean): boolean =>
  PERMISSIONS[operation] === 'public' || (publicLog && OF_THE_LOG.has(operation));

export const mayCall = (operation: OperationId, role: Role): boolean => {
  const roles: Permission = PERMISSIONS[operation];
  return roles === 'public' || roles.includes(role);
};
