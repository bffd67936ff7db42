/** The runner: drives runs, and the commands and queries of one home on the CQRS bus. */
import 'reflect-metadata';

export { LOCAL_OPERATOR } from './actors.ts';
export * from './commands/drive-run.ts';
export * from './commands/fork-run.ts';
export * from './commands/halt-run.ts';
export * from './commands/open-run.ts';
export * from './commands/replay-finding.ts';
export { RequestData, requestData } from './commands/request-data.ts';
export * from './commands/review-finding.ts';
export { StopLoop } from './commands/stop-loop.ts';
export * from './commands/verify-finding.ts';
export {
  proposeFinding,
  proposeHypothesis,
  proposeMutation,
  viewOfRun,
  type AgentRefusalCode,
} from './agent-edge.ts';
export { agentOf } from './agent-of.ts';
export { driveRun, type Drive } from './drive-run.ts';
export { exportFrom } from './exporting/export.ts';
export {
  openHome,
  recallStudyFile,
  SNAPSHOTS,
  watchTrainings,
  type Home,
  type HomeOptions,
} from './home.ts';
export { applyErasures, assertPerson, textAt } from './erasing.ts';
export { openLedger, type Ledger, type LedgerOptions } from './ledger.ts';
export type { Fork, ForkFrom } from './opening/fork-point.ts';
export * from './notarising/index.ts';
export { locateStudy, readStudyBelow } from './opening/locate-study.ts';
export { openRun, type OpenedRun, type RunToOpen } from './opening/open-run.ts';
export { openStudy, pinnedBy, type OpenedStudy } from './opening/open-study.ts';
export { snapshotStudy } from './opening/pin-data.ts';
export { BUNDLE_PORTS, openBundleFile, type BundleFile } from './proving/bundle-files.ts';
export { writeWhole } from './proving/write-whole.ts';
export {
  makeBundle,
  type BundleRefusalCode,
  type BundleRequest,
  type MadeBundle,
} from './proving/make-bundle.ts';
export {
  recordedReason,
  sealReason,
  shownAudit,
  shownFinding,
  shownRun,
  type Shown,
} from './private-texts.ts';
export { runOf, studyOf } from './proving/names.ts';
export type { RecordedReplay } from './proving/replay.ts';
export type { AuditedRow, DataAtHand } from './proving/data-at-hand.ts';
export {
  replayBundle,
  type AuditedReplay,
  type BundleToReplay,
  type ReplayedBundle,
} from './proving/replay-bundle.ts';
export { REPLAY_PREDICATE, replayRecord } from './proving/replay-record.ts';
export { restoreState, type Restored } from './proving/restore.ts';
export { verdictOn } from './proving/verify.ts';
export * from './queries/export-finding.ts';
export * from './queries/audit-columns.ts';
export { plantedOfRun, withPlanted } from './queries/planted.ts';
export * from './queries/restore-state.ts';
export * from './queries/views.ts';
export { ERASURES, FLEET, NOTARY, NOTARY_PORTS } from './streams.ts';
export type { OutsideRequest, Requested, Standing } from './streams.ts';
export {
  supervise,
  type Supervisor,
  type SupervisorNotice,
  type SupervisorStatus,
} from './supervising/supervisor.ts';
export { RunnerModule } from './runner.module.ts';
export { VERSION } from './version.ts';
