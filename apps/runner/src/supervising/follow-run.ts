import { sha256 } from '#libs/event-log';
import { deriveId, type Refusal, type Result } from '#libs/kernel';
import { policyDigest, type StudyEvent } from '#libs/studies';
import { HARNESS } from '../actors.ts';
import { agentOf } from '../agent-of.ts';
import { driveRun, isSteppedBack } from '../drive-run.ts';
import type { Home } from '../home.ts';
import { locateStudy } from '../opening/locate-study.ts';
import { openRequestedRun, sha256Text, type OpenOnDisk } from '../opening/open-run.ts';
import { openStudy, pinnedBy, type OpenedStudy } from '../opening/open-study.ts';
import { pinData } from '../opening/pin-data.ts';
import { studyOf } from '../proving/names.ts';
import { recent } from '../recent.ts';

/** What became of a duty. `waits`: for somebody else's event. `again`: soon. `held`: another runner has it. */
export type Outcome = 'settled' | 'waits' | 'again' | 'held';

/** Opened studies, so that many runs of one study share its vault. */
export interface StudyCache {
  open(
    key: string,
    opening: () => Promise<Result<OpenedStudy, Refusal>>,
  ): Promise<Result<OpenedStudy, Refusal>>;
}

/** A vault is counts in memory; it is held under two names where a run was opened here. */
const MOST_STUDIES = 64;

export const studyCache = (): StudyCache => {
  const opened = recent<Promise<Result<OpenedStudy, Refusal>>>(MOST_STUDIES);
  return {
    open: async (key, opening) => {
      const known = opened.get(key);
      if (known !== undefined) return known;
      const study = opening();
      opened.set(key, study);
      const forget = (): void => opened.delete(key);
      study.then((result) => {
        if (!result.ok) forget();
      }, forget);
      return study;
    },
  };
};

/**
 * A study is the same as long as its rows and its policy are, and the base table that left its vault; `table`: the
 * table's SHA-256, null where it is decided today.
 */
const keyOf = (
  studyId: string,
  pins: { readonly dataDigest: string; readonly policyDigest: string },
  table: string | null,
): string => `${studyId} ${pins.dataDigest} ${pins.policyDigest} ${String(table)}`;

/** Reads the rows into a vault only where none of the same rows is open: many runs of one study may be asked for at once. */
const openOnDisk =
  (studies: StudyCache): OpenOnDisk =>
  async (home, folder, policy) => {
    const digest = await pinData(home, folder, policy);
    if (!digest.ok) return digest;
    const pins = {
      dataDigest: digest.value,
      policyDigest: policyDigest(policy, sha256Text),
    };
    const of = (table: string | null) => keyOf(policy.study.id, pins, table);
    const study = await studies.open(of(null), () =>
      openStudy(home, folder, policy, { ...pins, cohorts: null }),
    );
    // The run that is opened now will be followed with the same vault.
    if (study.ok)
      await studies.open(of(sha256(study.value.vault.release().table)), () =>
        Promise.resolve(study),
      );
    return study;
  };

/** Refusals that say something of this host, not of the run: another host, or this one later, may open it. */
const HOSTS_OWN: readonly string[] = [
  'no-studies-folder',
  'study-unknown',
  'sandbox-missing',
  'sandbox-too-old',
  'sandbox-does-not-work',
  'sandbox-too-weak',
  'unsupported-platform',
  'split-key-lost',
  'snapshot-missing',
  'no-data-connection',
  'insecure-connection',
  'key-exposed',
  'key-unreadable',
];
const OVERTAKEN: readonly string[] = ['lost-race', 'not-now'];

/** Opens the run if that is still owed, and drives it to its end, or to where it waits for its agent. */
export const followRun = async (
  home: Home,
  studies: StudyCache,
  runId: string,
  signal: AbortSignal,
): Promise<Outcome> => {
  const studyId = studyOf(runId);
  const { state } = await home.studies.load(studyId);
  const requested = state.requests.get(runId);
  if ((await home.runs.load(runId)).state.opened === null) {
    // One that was opened all the same, by a runner that was slow, is driven to its end like any other.
    if (requested !== undefined && requested.refused !== null) return 'settled';
    const outcome = await open(home, studies, runId);
    if (outcome !== null) return outcome;
  }
  const { opened } = (await home.runs.load(runId)).state;
  if (opened === null) return 'again';
  const table = opened.cohorts?.table.sha256 ?? null;
  const study = await studies.open(keyOf(studyId, opened.pins, table), async () => {
    const onDisk = await locateStudy(home, studyId);
    return onDisk.ok
      ? openStudy(home, onDisk.value.folder, opened.policy, pinnedBy(opened))
      : onDisk;
  });
  if (!study.ok) throw new Error(study.error.message);
  const driven = await driveRun(home, {
    ...{ runId, study: study.value, signal },
    agent: await agentOf(home, runId, opened.policy),
  });
  if (!driven.ok) {
    if (!isSteppedBack(driven.error)) throw new Error(driven.error.message);
    return 'again';
  }
  return driven.value.node === 'sealed' ? 'settled' : 'waits';
};

/** Null when it was opened; a run that never can be is refused for good, with the reason. */
const open = async (home: Home, studies: StudyCache, runId: string): Promise<Outcome | null> => {
  const studyId = studyOf(runId);
  const requested = await requestOf(home, studyId, runId);
  const onDisk = await locateStudy(home, studyId);
  const opened =
    requested === null || !onDisk.ok
      ? onDisk
      : await openRequestedRun(
          home,
          onDisk.value,
          requested.run,
          requested.actor,
          openOnDisk(studies),
        );
  if (opened.ok) return null;
  const { code, message } = opened.error;
  if (OVERTAKEN.includes(code)) return 'again';
  if (HOSTS_OWN.includes(code)) throw new Error(message);
  const refusedRun = await home.studies.send(
    studyId,
    {
      type: 'RefuseRun',
      id: deriveId('refuse-run', runId),
      data: { runId, code, reason: message },
    },
    HARNESS,
  );
  return refusedRun.ok ? 'settled' : 'again';
};

/** The run as somebody asked for it, and who that was. */
const requestOf = async (home: Home, studyId: string, runId: string) => {
  const { state } = await home.studies.load(studyId);
  const run = state.requests.get(runId);
  if (run === undefined) return null;
  // What is opened was asked for lately.
  for await (const event of home.log.readStream<StudyEvent>(`study-${studyId}`, {
    direction: 'backwards',
  }))
    if (event.type === 'RunRequested' && (event.data as { runId: string }).runId === runId)
      return { run, actor: event.metadata.actor };
  return null;
};
