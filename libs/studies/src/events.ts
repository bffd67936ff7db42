import type { Fact } from '#libs/kernel';

/** A study is known by its id. */
export type StudyRegistered = Fact<
  'StudyRegistered',
  { readonly studyId: string; readonly title: string }
>;

/** The key that splits the rows of one data digest, committed before any run uses it, so that nobody can grind splits. */
export type SplitCommitted = Fact<
  'SplitCommitted',
  { readonly dataDigest: string; readonly commitment: string }
>;

/** A run got the study's next number and its seed. */
export type RunCounted = Fact<
  'RunCounted',
  { readonly runId: string; readonly number: number; readonly seed: number }
>;

/** Stands before the sealed rows are scored: the study counts every look. */
export type SealedRowsOpened = Fact<
  'SealedRowsOpened',
  { readonly runId: string; readonly look: number }
>;

/** What a run spent, added up over the study. */
export type SpendCounted = Fact<
  'SpendCounted',
  { readonly runId: string; readonly spent: number; readonly totalSpent: number }
>;

export type StudyEvent =
  StudyRegistered | SplitCommitted | RunCounted | SealedRowsOpened | SpendCounted;
