import { Command } from 'commander';
import { VERSION } from '#apps/runner';
import type { ExitCode } from './exit-codes.ts';
import type { Verb } from './verb.ts';
import { auditVerb } from './verbs/audit.ts';
import { bundleVerb } from './verbs/bundle.ts';
import { checkVerb } from './verbs/check.ts';
import { eraseVerb, peopleVerb } from './verbs/erase.ts';
import { diffVerb } from './verbs/diff.ts';
import { doctorVerb } from './verbs/doctor.ts';
import { exportVerb } from './verbs/export.ts';
import { findingsVerb, reviewVerb, verifyVerb } from './verbs/findings.ts';
import { forkVerb } from './verbs/fork.ts';
import { initVerb } from './verbs/init.ts';
import { notaryVerb } from './verbs/notary.ts';
import { jobsVerb } from './verbs/jobs.ts';
import { replayVerb } from './verbs/replay.ts';
import { rebuildVerb, restoreVerb } from './verbs/restore.ts';
import { snapshotVerb } from './verbs/snapshot.ts';
import { runVerb } from './verbs/run.ts';
import { haltVerb, runsVerb, stopVerb } from './verbs/runs.ts';
import { showVerb, watchVerb } from './verbs/show.ts';
import { serveVerb } from './verbs/serve.ts';
import { simulateVerb } from './verbs/simulate.ts';
import { workersVerb } from './verbs/workers.ts';
import { tokenVerb } from './verbs/token.ts';

/** In the order in which a newcomer needs them. */
const VERBS: readonly Verb[] = [
  initVerb,
  checkVerb,
  snapshotVerb,
  runVerb,
  forkVerb,
  runsVerb,
  showVerb,
  watchVerb,
  findingsVerb,
  verifyVerb,
  bundleVerb,
  replayVerb,
  restoreVerb,
  notaryVerb,
  auditVerb,
  exportVerb,
  diffVerb,
  reviewVerb,
  stopVerb,
  haltVerb,
  serveVerb,
  workersVerb,
  jobsVerb,
  rebuildVerb,
  simulateVerb,
  tokenVerb,
  peopleVerb,
  eraseVerb,
  doctorVerb,
];

/** The `holdfast` command; `done` takes each verb's exit code. */
export const program = (done: (work: Promise<ExitCode>) => Promise<void>): Command => {
  const command = new Command('holdfast')
    .description(
      'Leave an autonomous ML research loop running overnight; prove in the morning how each finding was reached.',
    )
    .version(VERSION)
    .showHelpAfterError('(holdfast --help lists the verbs)')
    // So that what stands behind a verb below a verb is that verb's own.
    .enablePositionalOptions()
    .configureHelp({ sortSubcommands: false });
  for (const verb of VERBS) verb(command, done);
  return command;
};
