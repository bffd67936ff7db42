import type { Role } from '#libs/kernel';

/** Everybody who looks at the ledger; an agent does not. */
const READERS = ['researcher', 'reviewer', 'auditor', 'operator'] as const;
const AGENT = ['agent'] as const;

/**
 * Who may call what: the one table, by operation id. `public` needs no token. A route without a row here keeps the
 * server from starting, and so does a row without a route.
 */
export const PERMISSIONS = {
  // Of the server.
  getLiveness: 'public',
  getReadiness: 'public',
  getOpenApiDocument: 'public',
  getMetrics: ['operator'],

  // Studies.
  listStudies: READERS,
  getStudy: READERS,
  registerStudy: ['researcher'],
  placeStudy: ['operator'],

  // Runs.
  listRuns: READERS,
  getRun: READERS,
  listRunEvents: READERS,
  watchRun: READERS,
  openRun: ['researcher'],
  haltRun: ['researcher', 'operator'],
  stopRun: ['researcher', 'operator'],

  // Ledgers.
  listCutovers: READERS,
  listRestorePoints: READERS,
  getRestorePoint: READERS,
  getRestorePointTree: READERS,
  listCharges: READERS,
  getLedger: READERS,

  // Findings.
  listFindings: READERS,
  getFinding: READERS,
  verifyFinding: READERS,
  reviewFinding: ['reviewer'],

  // The fleet.
  listWorkers: ['operator'],
  admitWorker: ['operator'],
  dismissWorker: ['operator'],
  listDeadLetters: ['operator'],
  retryDeadLetter: ['operator'],
  discardDeadLetter: ['operator'],

  // All that an agent may call: read four things of its own run, propose four.
  getBrief: AGENT,
  getCohortTable: AGENT,
  getMutableFiles: AGENT,
  getAgentView: AGENT,
  proposeHypothesis: AGENT,
  proposeMutation: AGENT,
  proposeMetric: AGENT,
  proposeFinding: AGENT,
} as const satisfies Readonly<Record<string, 'public' | readonly Role[]>>;

export type OperationId = keyof typeof PERMISSIONS;

export const mayCall = (operation: OperationId, role: Role): boolean => {
  const roles: 'public' | readonly Role[] = PERMISSIONS[operation];
  return roles === 'public' || roles.includes(role);
};
