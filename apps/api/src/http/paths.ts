import { Id } from './members.ts';

/** What stands in a path. */
export class StudyPath {
  @Id({ about: 'A study', example: 'pay' }) studyId!: string;
}

export class RunPath {
  @Id({ about: 'A run', example: 'pay-1' }) runId!: string;
}

export class FindingPath {
  @Id({ about: 'A finding', example: 'pay-1-f1' }) findingId!: string;
}

export class RestorePointPath {
  @Id({ about: 'A restore point' }) restorePointId!: string;
}
