import { basename } from 'node:path';
import { describeProblem, describeStudy, readStudy, type StudyOnDisk } from '#libs/studies';
import { checkDataPolicy, newSplitKey, openVault, preLoopChecks } from '#libs/vault';
import type { GateCheck } from '#libs/harness';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { jsonLine, refuse, type Output } from '../output.ts';
import { outputFor, type CommonOptions } from '../session.ts';
import { studyRefusal } from '../study-refusal.ts';
import { common, type Verb } from '../verb.ts';

export const checkVerb: Verb = (program, done) => {
  common(program.command('check [study]'))
    .description(
      'validate a study: what is wrong and where, what its budget buys, what k and h mean',
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
  if (output.json)
    jsonLine(output, { study: policy.study.id, warnings, preLoop: checks, ...description });
  else say(output, study.value, checks);
  return failed.length === 0 ? EXIT.done : EXIT.badInput;
};

const refusedData = (found: string): GateCheck => ({
  rule: 'data',
  passed: false,
  found,
  expected: 'data that the vault can read in full',
});

const say = (
  { line, style: { paint } }: Output,
  { policy, file, warnings }: StudyOnDisk,
  checks: readonly GateCheck[],
): void => {
  const { cells, purchases, charts } = describeStudy(policy);
  const failed = checks.filter(({ passed }) => !passed);
  line(paint.bold(`${policy.study.title} (${policy.study.id}, ${basename(file)})`));
  line(`  ${policy.study.question}`);
  line();
  line(paint.bold('data'));
  line(
    `  ${policy.data.dimensions.map(({ name, labels }) => `${name} (${labels.length})`).join(' × ')} = ${cells} cells; protected: ${policy.data.protected.map(({ name }) => name).join(', ') || 'none'}`,
  );
  for (const { rule, passed, found, expected } of checks)
    line(
      `  ${passed ? paint.green('✓') : paint.red('✗')} ${rule}: ${found}${passed ? '' : paint.dim(` (expected ${expected})`)}`,
    );
  line();
  line(paint.bold(`budget of ${policy.budget.total} buys at most`));
  for (const { domain, cost, iterations } of purchases)
    line(
      `  ${String(iterations).padStart(4)} iterations of ${domain} at ${cost} (hypothesis included)`,
    );
  line();
  line(paint.bold('divergence'));
  for (const { kind, words } of charts)
    for (const [index, text] of words.entries())
      line(`  ${(index === 0 ? kind : '').padEnd(6)} ${text}`);
  for (const warning of warnings) line(`${paint.yellow('warning')} ${describeProblem(warning)}`);
  line();
  line(
    failed.length === 0
      ? paint.green('sound: open a run with holdfast run')
      : paint.red(`${failed.length} of the pre-loop gate's rules would halt a run`),
  );
};
