import type { Fact } from '#libs/kernel';

/** A study is known by its id. */
export type StudyRegistered = Fact<
  'StudyRegistered',
  { readonly studyId: string; readonly title: string }
>;

/**
 * Where a study stands in a service: whose it is, where its folder lies below the studies folder of the runners'
 * hosts, and how its trainings are ranked. Said again when it moves; a study without it is in project `default`.
 */
export type StudyPlaced = Fact<
  'StudyPlaced',
  {
    /** Who may see it: a token sees the studies of its projects only. */
    readonly project: string;
    /** Path of the study's folder or study file, relative to the studies folder. */
    readonly folder: string;
    /** Of its trainings among other studies', from 1 (first) to 10 (last). */
    readonly priority: number;
  }
>;

/** The key that splits the rows of one data digest, committed before any run uses it, so that nobody can grind splits. */
export type SplitCommitted = Fact<
  'SplitCommitted',
  { readonly dataDigest: string; readonly commitment: string }
>;

/**
 * Somebody asked for a run, which a runner then opens: it has its number from here on, and is counted once the split
 * of its data is committed.
 */
export type RunRequested = Fact<
  'RunRequested',
  {
    readonly runId: string;
    readonly number: number;
    readonly seed: number;
    /** Opaque id of the agent outside that alone may propose in it; null: the built-in search agent proposes. */
    readonly agent: string | null;
  }
>;

/** A run got its number in the study, the next one or the one that it was requested with, and its seed. */
export type RunCounted = Fact<
  'RunCounted',
  { readonly runId: string; readonly number: number; readonly seed: number }
>;

/** A run that was asked for could not be opened, and never will be: its number is spent. */
export type RunRefused = Fact<
  'RunRefused',
  {
    readonly runId: string;
    /** Refusal code, for programs. */
    readonly code: string;
    /** What was found, what was expected and what to do. */
    readonly reason: string;
  }
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
  | StudyRegistered
  | StudyPlaced
  | SplitCommitted
  | RunRequested
  | RunCounted
  | RunRefused
  | SealedRowsOpened
  | SpendCounted;
