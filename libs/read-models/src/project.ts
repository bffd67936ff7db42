import type { RecordedEvent } from '#libs/kernel';
import type { Change } from './change.ts';
import { projectCharges } from './charges/project.ts';
import { projectCutoverAudit } from './cutover-audit/project.ts';
import { projectFindings } from './findings/project.ts';
import { projectRestoreSource } from './restore-source/project.ts';
import { projectRuns } from './runs/project.ts';
import { projectStudies } from './studies/project.ts';
import { projectTrail } from './trail/project.ts';

const PROJECTIONS = [
  projectStudies,
  projectRuns,
  projectCutoverAudit,
  projectRestoreSource,
  projectCharges,
  projectFindings,
  projectTrail,
];

/**
 * What an event changes in all views. Pure; a type that no view knows changes nothing but the last revision of its
 * run or study.
 */
export const project = (event: RecordedEvent): readonly Change[] =>
  PROJECTIONS.flatMap((projection) => projection(event));
