import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import extractDepcruiseOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import { afterEach, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** Fewest modules of our own that a true look at the repository sees: with a wrong compiler it sees none. */
const FEWEST_MODULES = 200;

const look = async (baseDir: string): Promise<ICruiseResult> => {
  const options = await extractDepcruiseOptions(join(root, '.dependency-cruiser.js'));
  const { output } = await cruise(['apps', 'libs'], { ...options, baseDir });
  if (typeof output === 'string') throw new Error('expected the result as an object');
  return output;
};

const violations = (result: ICruiseResult): string[] =>
  result.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);

/** Folders of the planted repositories, to be removed. */
const planted: string[] = [];
afterEach(async () => {
  for (const folder of planted.splice(0)) await rm(folder, { recursive: true });
});

/** A repository of the same layout that holds these files alone. */
const plant = async (files: Record<string, string>): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-architecture-'));
  planted.push(folder);
  const all = {
    'package.json': JSON.stringify({
      type: 'module',
      imports: { '#libs/*': { source: './libs/*/src/index.ts' } },
    }),
    'apps/cli/src/index.ts': 'export const cli = 1;\n',
    'libs/kernel/src/index.ts': 'export const kernel = 1;\n',
    'libs/vault/src/index.ts': "export * from './vault.ts';\n",
    'libs/vault/src/vault.ts': 'export const vault = 1;\nexport type Vault = number;\n',
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
};

describe('the architecture', () => {
  it('holds in this repository, and the check really saw it', async () => {
    const result = await look(root);
    const own = result.modules.filter(({ source }) => /^(apps|libs)\//.test(source));
    expect(violations(result)).toEqual([]);
    expect(own.length).toBeGreaterThanOrEqual(FEWEST_MODULES);
    const throughDoors = own
      .flatMap(({ dependencies }) => dependencies)
      .filter(({ module, resolved }) => module.startsWith('#libs/') && resolved.endsWith('.ts'));
    expect(throughDoors.length).toBeGreaterThan(0);
  });

  it('finds nothing wrong with a lawful repository', async () => {
    const folder = await plant({
      'libs/run/src/index.ts':
        "import type { Vault } from '#libs/vault';\nexport type Run = Vault;\n",
      'apps/cli/src/index.ts': "import { vault } from '#libs/vault';\nexport const cli = vault;\n",
      'libs/vault/src/disk.ts':
        "import { readFileSync } from 'node:fs';\nexport { readFileSync };\n",
    });
    expect(violations(await look(folder))).toEqual([]);
  });

  it.each([
    {
      rule: 'pure-knows-no-machine',
      file: 'libs/run/src/run.ts',
      text: "import { readFileSync } from 'node:fs';\nexport { readFileSync };\n",
    },
    {
      rule: 'pure-knows-pure-libs',
      file: 'libs/run/src/run.ts',
      text: "import { vault } from '#libs/vault';\nexport const run = vault;\n",
    },
    {
      rule: 'kernel-stands-alone',
      file: 'libs/kernel/src/kernel.ts',
      text: "import type { Vault } from '#libs/vault';\nexport type Kernel = Vault;\n",
    },
    {
      rule: 'libs-by-their-doors',
      file: 'libs/jobs/src/jobs.ts',
      text: "import { vault } from '../../vault/src/vault.ts';\nexport const jobs = vault;\n",
    },
    {
      rule: 'own-lib-not-by-its-door',
      file: 'libs/vault/src/other.ts',
      text: "import { vault } from '#libs/vault';\nexport const other = vault;\n",
    },
    {
      rule: 'apps-use-doors',
      file: 'apps/cli/src/verb.ts',
      text: "import { vault } from '../../../libs/vault/src/vault.ts';\nexport const verb = vault;\n",
    },
    {
      rule: 'libs-know-no-apps',
      file: 'libs/vault/src/up.ts',
      text: "import { cli } from '../../../apps/cli/src/index.ts';\nexport const up = cli;\n",
    },
    {
      rule: 'lib-tests-know-test-support',
      file: 'libs/vault/src/vault.spec.ts',
      text: "import { cli } from '../../../apps/cli/src/index.ts';\nexport const up = cli;\n",
    },
    {
      rule: 'worker-knows-redis-only',
      file: 'apps/worker/src/index.ts',
      text: "import { vault } from '#libs/vault';\nexport const worker = vault;\n",
    },
    {
      rule: 'no-cycles',
      file: 'libs/vault/src/vault.ts',
      text: "import { vault as self } from './index.ts';\nexport const vault: number = self;\n",
    },
    {
      rule: 'resolvable',
      file: 'libs/vault/src/lost.ts',
      text: "import { gone } from '#libs/gone';\nexport const lost = gone;\n",
    },
  ])('catches a planted breach of $rule', async ({ rule, file, text }) => {
    const found = violations(await look(await plant({ [file]: text })));
    expect(found.some((line) => line.startsWith(`${rule}: `) && line.includes(file))).toBe(true);
  });
});
