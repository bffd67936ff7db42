export { openReadModels } from './read-models.ts';
export type { LogReader, ReadModels } from './read-models.ts';
export { ViewsUnavailable } from './errors.ts';
export { followLog, type FollowedLog, type FollowOptions, type Progress } from './follow.ts';
export type { DatabaseTarget } from '#libs/database';
export type { Filter, Page } from './page.ts';
export type { StudyFilter, StudyRow } from './studies/queries.ts';
export type { RunFilter, RunRow } from './runs/queries.ts';
export type { RunStatus } from './runs/table.ts';
export type { CutoverFilter, CutoverRow } from './cutover-audit/queries.ts';
export type { Decision } from './cutover-audit/table.ts';
export type { RestorePointFilter, RestorePointRow } from './restore-source/queries.ts';
export type { ChargeFilter, ChargeRow } from './charges/queries.ts';
export type { FindingFilter, FindingRow } from './findings/queries.ts';
export type { ReviewState } from './findings/table.ts';
export {
  ACCESSES,
  CHANGES,
  INCIDENTS,
  type AccessKind,
  type ChangeKind,
  type IncidentKind,
} from './trail/table.ts';
export type { AsOf, AuditFilter, AuditPage, AuditRow } from './trail/asked.ts';
export type { Approval, ChangeFilter, ChangeRow } from './trail/changes.ts';
export type { Difference } from './trail/differences.ts';
export type { AccessFilter, AccessRow } from './trail/accesses.ts';
export type { IncidentFilter, IncidentRow, Readings } from './trail/incidents.ts';
export {
  STANDINGS,
  type FindingAtRow,
  type FindingsAtFilter,
  type Standing,
} from './trail/findings-at.ts';
export type { ReviewFilter, ReviewRow } from './trail/reviews.ts';
export {
  DIRECTIONS,
  TRACE_DEFAULTS,
  TRACE_LIMITS,
  type Direction,
  type Trace,
  type TraceEdge,
  type TraceFilter,
  type TraceNode,
} from './trail/trace.ts';
