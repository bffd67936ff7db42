import { POLICY_VERSION } from '#libs/harness';
import type { OpenRun } from '../commands.ts';
import type { RunEvent, RunOpened } from '../events.ts';
import { originOf } from '../origin.ts';
import type { RunState } from '../state.ts';
import { events, halted, launched, listed, refuse, type Decision } from './outcome.ts';

/** What a gate that lets a run in must have had before it, whatever was checked. */
const GATE_RESTS_ON = {
  checks: { rule: 'checks', found: 'no check of the data', expected: 'at least one' },
  cohorts: { rule: 'cohorts', found: 'no cohort table', expected: 'one from the vault' },
} as const;

export const openRun = ({ data: { opened, checks } }: OpenRun): Decision => {
  const { version } = opened.policy;
  // Older rules asked for less: only a run that was opened under them is judged by them.
  if (version !== POLICY_VERSION)
    return refuse(
      'policy-version',
      `found a policy of version ${String(version)}, expected ${String(POLICY_VERSION)}: read the study anew`,
    );
  const breaches = [
    ...checks.filter(({ passed }) => !passed),
    ...(checks.length === 0 ? [GATE_RESTS_ON.checks] : []),
    // Where another check failed the vault gives nothing away, so that this is no breach of its own.
    ...(opened.cohorts === null && checks.every(({ passed }) => passed)
      ? [GATE_RESTS_ON.cohorts]
      : []),
  ].map(({ rule, found, expected }) => ({ rule, found, expected, file: null, line: null }));
  const run: RunEvent = { type: 'RunOpened', data: opened };
  if (breaches.length > 0)
    return events(run, halted('pre-loop', `PRE-LOOP GATE: ${listed(breaches)}`, breaches));
  return events(run, {
    type: 'GatePassed',
    data: {
      gate: 'pre-loop',
      policyDigest: opened.pins.policyDigest,
      mutationId: null,
      checks,
    },
  });
};

export const launchBaseline = (
  state: RunState,
  opened: RunOpened['data'],
  commandId: string,
): Decision =>
  events(
    launched(opened, commandId, {
      purpose: 'baseline',
      mutationId: null,
      tree: originOf(opened).tree,
      seed: opened.seed + state.replicates.length,
    }),
  );
