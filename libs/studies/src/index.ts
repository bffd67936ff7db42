/** Studies: the file that sets one up, what the study's stream counts, and what a policy means in words. */
export * from './data-decider.ts';
export * from './data-events.ts';
export * from './decider.ts';
export * from './describe-power.ts';
export * from './describe-study.ts';
export * from './events.ts';
export * from './policy-digest.ts';
export { describeProblem, parseStudyFile, STUDY_FILE, type StudyFile } from './study-file.ts';
export * from './study-folder.ts';
export * from './study-skeleton.ts';
export type { Complaint, Path, StudyFileProblem } from './yaml-document.ts';
