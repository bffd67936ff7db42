import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SNAPSHOTS, snapshotStudy } from '#apps/runner';
import { readConfig, readServiceConfig } from '#libs/config';
import { scoredCells } from '#libs/evaluator';
import { ok, type Refusal, type Result } from '#libs/kernel';
import { readSourceIdentity } from '#libs/source-tree';
import { describePower, describeStudy, readStudy, type PowerMeaning } from '#libs/studies';
import {
  checkDataPolicy,
  currentSnapshot,
  newSplitKey,
  openVault,
  preLoopChecks,
  surveyUndeclared,
  type OpenVault,
  type Vault,
} from '#libs/vault';
import type { GateCheck, HarnessPolicy } from '#libs/harness';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { jsonLine, refuse, type Output } from '../output.ts';
import { studyLines } from '../present/study-check.ts';
import { outputFor, type CommonOptions } from '../session.ts';
import { studyRefusal } from '../study-refusal.ts';
import { common, type Verb } from '../verb.ts';

export const checkVerb: Verb = (program, done) => {
  common(program.command('check [study]'))
    .description(
      'validate a study: what is wrong and where, what its budget buys, what k and h mean, what a keep can tell from noise',
    )
    .addHelpText('after', '\nNothing is written. Exit codes: 0 sound, 2 with errors.')
    .action((study: string | undefined, options: CommonOptions) =>
      done(check(outputFor(options), study ?? '.', options)),
    );
};

const check = async (output: Output, path: string, options: CommonOptions): Promise<ExitCode> => {
  const study = await readStudy(path);
  if (!study.ok) return refuse(output, studyRefusal(study.error));
  const { policy, folder, warnings } = study.value;
  await using table = policy.data.format === 'postgres' ? await tableData(policy, options) : null;
  if (table?.ok === false) return refuse(output, table.error);
  // A throw-away key: the split differs from any run's, the gate's answer hardly does.
  const vault = await openVault({
    ...{ studyFolder: folder, ...table?.value },
    data: policy.data,
    intersections: policy.gates.postLoop.intersections,
    splitKey: newSplitKey(),
    bounds: policy.gates.preLoop,
    sayValues: true,
  });
  const checks = vault.ok
    ? preLoopChecks(vault, policy)
    : [
        ...checkDataPolicy(policy.data, policy.gates.postLoop.intersections),
        refusedData(vault.error.message),
      ];
  // What can't be read was refused above.
  const survey = vault.ok ? await surveyUndeclared(folder, policy.data) : null;
  const undeclared = survey?.ok === true ? survey.value : [];
  const failed = checks.filter(({ passed }) => !passed);
  const description = describeStudy(policy);
  const power = vault.ok ? powerOf(policy, vault.value) : null;
  const source = await readSourceIdentity(folder);
  if (output.json)
    jsonLine(output, {
      ...{ study: policy.study.id, warnings, preLoop: checks, undeclared },
      ...description,
      ...{ power, source },
    });
  else
    for (const text of studyLines(output.style, study.value, checks, undeclared, power, source))
      output.line(text);
  return failed.length === 0 ? EXIT.done : EXIT.badInput;
};

type TableData = Result<Required<Pick<OpenVault, 'snapshots' | 'expectedDigest'>>, Refusal> &
  AsyncDisposable;

/** The snapshot that the next run would stand on; before the first one, one that is thrown away again. */
const tableData = async (policy: HarnessPolicy, options: CommonOptions): Promise<TableData> => {
  const kept = join(options.home ?? readConfig().home, SNAPSHOTS);
  const current = await currentSnapshot(kept, policy.study.id, policy.data);
  if (current !== null)
    return { ...ok({ snapshots: kept, expectedDigest: current }), ...disposedBy(async () => {}) };
  const config = readServiceConfig();
  if (!config.ok) return { ...config, ...disposedBy(async () => {}) };
  const snapshots = await mkdtemp(join(tmpdir(), 'holdfast-check-'));
  const disposal = disposedBy(() => rm(snapshots, { recursive: true, force: true }));
  try {
    const taken = await snapshotStudy({ dataUrl: config.value.dataUrl, snapshots }, policy);
    return taken.ok
      ? { ...ok({ snapshots, expectedDigest: taken.value.sha256 }), ...disposal }
      : { ...taken, ...disposal };
  } catch (error) {
    await disposal[Symbol.asyncDispose]();
    throw error;
  }
};

const disposedBy = (dispose: () => Promise<void>): AsyncDisposable => ({
  [Symbol.asyncDispose]: dispose,
});

/** The power of a keep on the dev rows as they are split here. */
const powerOf = (policy: HarnessPolicy, { counts }: Vault): PowerMeaning | null => {
  const { people, positive } = counts.dev.cells;
  let scored = { people: 0, positive: 0 };
  for (const cell of scoredCells(counts.dev.cells, policy.data.minimumCell))
    scored = {
      people: scored.people + (people[cell] ?? 0),
      positive: scored.positive + (positive[cell] ?? 0),
    };
  return describePower(policy, scored);
};

const refusedData = (found: string): GateCheck => ({
  rule: 'data',
  passed: false,
  found,
  expected: 'data that the vault can read in full',
});
