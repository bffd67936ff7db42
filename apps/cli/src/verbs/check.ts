import { describePower, describeStudy, readStudy, type PowerMeaning } from '#libs/studies';
import { checkDataPolicy, newSplitKey, openVault, preLoopChecks, type Vault } from '#libs/vault';
import { scoredCells } from '#libs/evaluator';
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
      done(check(outputFor(options), study ?? '.')),
    );
};

const check = async (output: Output, path: string): Promise<ExitCode> => {
  const study = await readStudy(path);
  if (!study.ok) return refuse(output, studyRefusal(study.error));
  const { policy, folder, warnings } = study.value;
  // A throw-away key: the split differs from any run's, the gate's answer hardly does.
  const vault = await openVault({
    studyFolder: folder,
    data: policy.data,
    splitKey: newSplitKey(),
  });
  const checks = vault.ok
    ? preLoopChecks(vault, policy)
    : [...checkDataPolicy(policy.data), refusedData(vault.error.message)];
  const failed = checks.filter(({ passed }) => !passed);
  const description = describeStudy(policy);
  const power = vault.ok ? powerOf(policy, vault.value) : null;
  if (output.json)
    jsonLine(output, { study: policy.study.id, warnings, preLoop: checks, ...description, power });
  else for (const text of studyLines(output.style, study.value, checks, power)) output.line(text);
  return failed.length === 0 ? EXIT.done : EXIT.badInput;
};

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
