import {
  domainOfFiles,
  languageOf,
  midLoopGate,
  POLICY_VERSION,
  type Breach,
  type FileChange,
  type HarnessPolicy,
  type MidLoopRuling,
} from '#libs/harness';
import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import { MANDATE } from '#libs/mandate';
import {
  decideRun,
  NOT_SHOWN,
  SCREENS,
  told,
  type MetricObserved,
  type MutationProposed,
  type RunCommand,
  type RunEvent,
  type RunHalted,
  type RunOpened,
  type RunState,
  type Screens,
  type TrainingResult,
  type WorkerEnlisted,
} from '#libs/run';
import {
  asked,
  driven,
  named,
  namedAfter,
  type Naming,
  type Place,
  type Reading,
} from './reading.ts';

type Distributed<Command> = Command extends RunCommand ? Omit<Command, 'id'> : never;
/** A command before it has its id. */
type Unnamed = Distributed<RunCommand>;

const reading = (
  state: RunState,
  command: Unnamed,
  naming: Naming,
  {
    screens = SCREENS,
    commands = [command.type],
  }: { readonly screens?: Screens; readonly commands?: readonly string[] } = {},
): Reading => ({
  commands,
  naming,
  decide: (id) => decideRun(state, { ...command, id }, screens),
});

/**
 * The opening of a run. No run is opened under version 1 of the policy any more: one that was
 * is decided as today, and stands under the policy that it was opened with.
 */
const opening = (
  state: RunState,
  opened: RunOpened['data'],
  then: RunEvent | undefined,
): Reading => {
  // The checks that were passed are not told where others failed; that there was none, or no table, is told as a breach.
  const checks =
    then?.type === 'GatePassed'
      ? then.data.checks
      : (then?.type === 'RunHalted' ? then.data.breaches : []).map(({ rule, found, expected }) => ({
          rule,
          found,
          expected,
          passed: false,
        }));
  const today: RunOpened['data'] = {
    ...opened,
    policy: { ...opened.policy, version: POLICY_VERSION },
  };
  return {
    commands: ['OpenRun'],
    naming: named('open', opened.runId),
    decide: (id) => {
      const decision = decideRun(state, { type: 'OpenRun', id, data: { opened: today, checks } });
      return decision.ok
        ? ok(
            decision.value.map((event) =>
              event.type === 'RunOpened' ? { ...event, data: opened } : event,
            ),
          )
        : decision;
    },
  };
};

/** At first the agent was told of a result that brought a revert, too. */
const alwaysTold = (state: RunState, { decide, ...rest }: Reading, metric: number): Reading => ({
  ...rest,
  decide: (id) => {
    const decision = decide(id);
    if (!decision.ok) return decision;
    const ladderScore = told(state.ladderScore, metric);
    return ok(
      decision.value.map((fact) =>
        fact.type === 'MetricObserved'
          ? { ...fact, data: { ...(fact.data as MetricObserved['data']), ladderScore } }
          : fact,
      ),
    );
  },
});

/** The changed files without their contents, which the log doesn't hold. */
const blind = (files: MutationProposed['data']['files']): readonly FileChange[] =>
  files.map(({ path, kind, before, after }) => ({
    ...{ path, kind, before, after },
    mode: kind === 'deleted' ? null : '100644',
    textBefore: null,
    text: null,
  }));

/** What of a breach shows without the contents of the files. */
const place = ({ rule, file }: Breach): string => JSON.stringify([rule, file]);

/**
 * The mid-loop gate's ruling as the events tell it: what only the files' contents can tell is taken from there. What the
 * paths show is held against it: whatever was said, another file than a mutable one was not let through.
 */
const ruled = (
  policy: HarnessPolicy,
  { files, measuredDomain }: MutationProposed['data'],
  then: RunEvent | undefined,
): Result<MidLoopRuling, Refusal> => {
  const { checks, breaches: shown } = midLoopGate(policy, blind(files));
  const strange = (message: string) => refused({ code: 'not-as-ruled', message });
  const domain = domainOfFiles(policy, files);
  if (domain !== measuredDomain)
    return strange(
      `found the measured domain ${String(measuredDomain)}, expected ${String(domain)}, the dearest of its files`,
    );
  const misread = files.find(
    ({ path, language }) => language !== (policy.version === 1 ? null : languageOf(path)),
  );
  if (misread !== undefined)
    return strange(
      `found ${misread.path} read as ${String(misread.language)}, expected ${policy.version === 1 ? 'none' : languageOf(misread.path)}`,
    );
  const breaches =
    then?.type === 'RunHalted' && then.data.by === 'mid-loop' ? then.data.breaches : [];
  const told = new Set(breaches.map(place));
  // Without its contents no file is readable: that one shows nothing.
  const kept = shown.find((each) => each.rule !== 'readable-text' && !told.has(place(each)));
  if (kept !== undefined && !(then?.type === 'RunHalted' && then.data.by === 'mandate'))
    return strange(
      `found no breach of ${kept.rule} by ${kept.found}, expected one: the paths show it`,
    );
  const unknown = breaches.find(
    (breach) =>
      !checks.some(({ rule, expected }) => rule === breach.rule && expected === breach.expected),
  );
  if (unknown !== undefined)
    return strange(
      `found a breach of ${unknown.rule}, which expects ${unknown.expected}; expected a rule of the policy's gate`,
    );
  return ok({
    domain,
    breaches,
    checks: checks.map(({ rule, expected }) => ({ rule, expected, passed: true, found: 'none' })),
    unreadable: [],
    files:
      policy.version === 1
        ? null
        : files.map(({ path, domain: owner }) => ({
            ...{ path, domain: owner },
            language: languageOf(path),
          })),
  });
};

const MUTATION = ['ProposeMutation', 'RefuseProposal', 'ProposeSecondaryMetric'] as const;

const proposals = (
  state: RunState,
  proposed: MutationProposed['data'],
  then: RunEvent | undefined,
): readonly Reading[] => {
  const { summary, declaredDomain, baseTree, proposedCommit, proposedTree, files } = proposed;
  const { opened } = state;
  if (opened === null) return [];
  const ruling = ruled(opened.policy, proposed, then);
  // Half a character is recorded as the sign for one that is not known.
  return [...new Set([summary, summary.replaceAll('\ufffd', '\ud800')])].map((said) => {
    const command: Unnamed = {
      type: 'ProposeMutation',
      data: {
        ...{ summary: said, declaredDomain, baseTree, commit: proposedCommit, tree: proposedTree },
        changes: blind(files),
      },
    };
    const naming = asked(driven('ProposeMutation'));
    return ruling.ok
      ? reading(state, command, naming, {
          screens: { ...SCREENS, midLoop: () => ruling.value },
        })
      : { commands: [command.type], naming, decide: () => ruling };
  });
};

const MANDATE_RULES: readonly string[] = [
  ...MANDATE.filter(({ allowed }) => !allowed).map(({ row }) => row),
  'instructions',
];

/** The screen that a reason showed these rules to, which is not recorded itself. */
const screensOf = (reason: string): Screens => {
  const rules = reason.slice(NOT_SHOWN.length).split(', ');
  if (!rules.every((rule) => MANDATE_RULES.includes(rule))) return SCREENS;
  const shown = rules.map((rule) => ({ rule, found: '', expected: '', file: null, line: null }));
  return { ...SCREENS, words: () => shown };
};

const halts = (
  state: RunState,
  { by, breaches, note }: RunHalted['data'],
  id: string,
): readonly Reading[] => {
  switch (by) {
    case 'human': {
      if (note === null) return [];
      const naming = asked(namedAfter(['halt', id]));
      return [reading(state, { type: 'HaltRun', data: { reason: note } }, naming)];
    }
    case 'data-request':
      return [
        reading(
          state,
          { type: 'RequestData', data: { dimensions: [], breaches, cells: 0, people: 0 } },
          namedAfter(['request-data']),
        ),
      ];
    case 'mandate': {
      // What was said is not recorded, only what it showed.
      const screens = { ...SCREENS, text: () => breaches, words: () => breaches };
      const commands = ['ProposeHypothesis', 'FinishLoop'];
      const naming = asked(driven(...commands));
      const command: Unnamed =
        state.node === 'hypothesised'
          ? { type: 'FinishLoop', data: { reason: '' } }
          : { type: 'ProposeHypothesis', data: { statement: '', expectedEffect: 0 } };
      return [reading(state, command, naming, { screens, commands })];
    }
    default:
      return [];
  }
};

const trained = (
  state: RunState,
  result: RunEvent | undefined,
  worker: WorkerEnlisted['data'] | null,
): readonly Reading[] => {
  switch (result?.type) {
    case 'TrainingCompleted':
    case 'TrainingFailed':
    case 'TrainingTimedOut': {
      const { type, data } = result;
      return [
        reading(
          state,
          { type: 'RecordTraining', data: { result: { type, data } as TrainingResult, worker } },
          driven('RecordTraining'),
        ),
      ];
    }
    default:
      return [];
  }
};

/**
 * The commands that can have become the first of these events: those of a run from the append that begins with the first
 * of them. None: no append begins so.
 */
export const readingsOfRun = (
  state: RunState,
  [event, then]: readonly RunEvent[],
  { id }: Place,
): readonly Reading[] => {
  switch (event?.type) {
    case 'RunOpened':
      return [opening(state, event.data, then)];
    case 'TrainingLaunched':
      return [reading(state, { type: 'LaunchBaseline', data: {} }, driven('LaunchBaseline'))];
    case 'WorkerEnlisted':
      return trained(state, then, event.data);
    case 'TrainingCompleted':
    case 'TrainingFailed':
    case 'TrainingTimedOut':
      return trained(state, event, null);
    case 'MetricObserved': {
      const { trainingId, observation, overSeeds } = event.data;
      const today = reading(
        state,
        { type: 'ObserveMetric', data: { trainingId, observation, overSeeds } },
        driven('ObserveMetric'),
      );
      return state.opened?.policy.version === 1
        ? [today, alwaysTold(state, today, observation.metric.value)]
        : [today];
    }
    case 'HypothesisProposed': {
      const { statement, expectedEffect } = event.data;
      return [
        reading(
          state,
          { type: 'ProposeHypothesis', data: { statement, expectedEffect } },
          asked(driven('ProposeHypothesis')),
        ),
      ];
    }
    case 'MutationProposed':
      return proposals(state, event.data, then);
    case 'ProposalRefused': {
      const { reason } = event.data;
      return [
        reading(state, { type: 'RefuseProposal', data: { reason } }, asked(driven(...MUTATION)), {
          commands: MUTATION,
          screens: reason.startsWith(NOT_SHOWN) ? screensOf(reason) : SCREENS,
        }),
      ];
    }
    case 'SecondaryMetricProposed': {
      const { name } = event.data;
      return [
        reading(
          state,
          { type: 'ProposeSecondaryMetric', data: { name, available: [name] } },
          asked(driven('ProposeSecondaryMetric')),
        ),
      ];
    }
    case 'CohortsServed': {
      const { dimensions, cells, people } = event.data;
      return [
        reading(
          state,
          { type: 'RequestData', data: { dimensions, breaches: [], cells, people } },
          namedAfter(['request-data']),
        ),
      ];
    }
    case 'RestorePointTaken': {
      const { mutationId } = event.data;
      return [reading(state, { type: 'CutOver', data: { mutationId } }, driven('CutOver'))];
    }
    case 'FairnessMeasured': {
      const { mutationId, report } = event.data;
      return [
        reading(state, { type: 'Judge', data: { mutationId, fairness: report } }, driven('Judge')),
      ];
    }
    case 'MutationReverted': {
      const { mutationId } = event.data;
      return [
        reading(state, { type: 'Judge', data: { mutationId, fairness: null } }, driven('Judge')),
      ];
    }
    case 'LoopEnded': {
      const { reason, message, note } = event.data;
      if (reason === 'finished')
        return [
          reading(
            state,
            { type: 'FinishLoop', data: { reason: message } },
            asked(driven('FinishLoop')),
          ),
        ];
      return reason === 'stopped' && note !== null
        ? [
            reading(
              state,
              { type: 'StopLoop', data: { reason: note } },
              asked(namedAfter(['stop', id])),
            ),
          ]
        : [];
    }
    case 'RunHalted':
      return halts(state, event.data, id);
    case 'RunHeadSigned':
      return [reading(state, { type: 'SignRunHead', data: event.data }, driven('SignRunHead'))];
    case 'RunClosed':
      return [reading(state, { type: 'CloseRun', data: event.data }, driven('CloseRun'))];
    default:
      // Charges, gates and what else stands only beside what brought it.
      return [];
  }
};

/** What a run's events have to say of their place and of the version that they were written in. */
export const strangenessOfRun = (
  event: RunEvent,
  { id, head }: Place,
  schemaVersion: number,
): string | null => {
  switch (event.type) {
    case 'RunOpened': {
      const { runId, policy } = event.data;
      if (runId !== id) return `found data.runId ${runId}, expected ${id}, as the stream says`;
      // The rules of version 1 asked for less: they are for runs that were written down as such.
      const version = schemaVersion === 1 ? 1 : POLICY_VERSION;
      return policy.version === version
        ? null
        : `found a policy of version ${String(policy.version)}, expected ${String(version)} in a RunOpened of version ${String(schemaVersion)}`;
    }
    case 'RunHeadSigned': {
      const { revision, hash } = event.data;
      return head?.revision === revision && head.hash === hash
        ? null
        : `found a signature of ${String(revision)} (${hash}), expected one of the event before it, ${head === null ? 'of which there is none' : `${String(head.revision)} (${head.hash})`}`;
    }
    default:
      return null;
  }
};
