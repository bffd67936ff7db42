import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { studySkeleton } from '#libs/studies';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { jsonLine, refuse, type Output } from '../output.ts';
import { outputFor, type CommonOptions } from '../session.ts';
import { common, type Verb } from '../verb.ts';

export const initVerb: Verb = (program, done) => {
  common(program.command('init [folder]'))
    .description(
      'make a study skeleton: a commented holdfast.yaml, a small training program, made-up data',
    )
    .action((folder: string | undefined, options: CommonOptions) =>
      done(init(outputFor(options), folder ?? '.')),
    );
};

const init = async (output: Output, given: string): Promise<ExitCode> => {
  const folder = resolve(given);
  await mkdir(folder, { recursive: true });
  const found = (await readdir(folder)).filter((name) => name !== '.git');
  if (found.length > 0)
    return refuse(output, {
      code: 'folder-not-empty',
      message: `found ${found.slice(0, 3).join(', ')}${found.length > 3 ? ', …' : ''} in ${folder}, expected an empty folder; name another one`,
    });
  const files = studySkeleton();
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text, { flag: 'wx' });
  }
  if (output.json) jsonLine(output, { folder, files: Object.keys(files) });
  else {
    for (const path of Object.keys(files)) output.line(`  ${path}`);
    output.line(
      `\nA study is a git repository. Next:\n\n  cd ${given}\n  git init && git add . && git commit -m "A study"\n  holdfast check\n  holdfast run`,
    );
  }
  return EXIT.done;
};
