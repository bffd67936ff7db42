import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verbs } from '../docs/generate/cli.ts';
import { anchor } from '../docs/generate/markdown.ts';
import { referencePages } from '../docs/generate/pages.ts';

const root = resolve(import.meta.dirname, '..');

const PAGES = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md', 'test/**/*.md'], { cwd: root });

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** The text without fenced blocks, where brackets and # mean something else. */
const prose = (path: string): string => read(path).replace(/^( *)```[^]*?^\1```$/gm, '');

const anchorsOf = (path: string): readonly string[] =>
  [...prose(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchor(heading));

/** Links to places in this repository, with what is wrong with each. */
const brokenLinks = (page: string): readonly string[] =>
  [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = '', place] = target.split('#');
      const file = path === '' ? page : relative(root, resolve(root, dirname(page), path));
      if (!existsSync(join(root, file))) return true;
      return place !== undefined && !anchorsOf(file).includes(place);
    });

/** Verbs that a page calls `holdfast` with, in code. */
const verbsIn = (page: string): readonly string[] =>
  [...read(page).matchAll(/(?:`|^ *(?:\$ )?|npx )holdfast ([a-z]+)/gm)].map(
    ([, verb = '']) => verb,
  );

/** Scripts of package.json that a page calls. */
const scriptsIn = (page: string): readonly string[] =>
  [...read(page).matchAll(/npm run ([a-z:-]+)/g)].map(([, script = '']) => script);

describe('the documents', () => {
  it('are found', () => {
    expect(PAGES).toEqual(expect.arrayContaining(['README.md', 'docs/tutorial.md']));
  });

  it.each(PAGES)('%s links to places that are there', (page) => {
    expect(brokenLinks(page)).toEqual([]);
  });

  it.each(PAGES)('%s names verbs and scripts that exist', (page) => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    expect(verbsIn(page).filter((verb) => !verbs().includes(verb))).toEqual([]);
    expect(scriptsIn(page).filter((script) => !(script in scripts))).toEqual([]);
  });
});

const reference = await referencePages(root);

describe('the generated reference', () => {
  it.each(Object.entries(reference))('%s says what the code says (npm run docs)', (name, text) => {
    expect(read(`docs/reference/${name}`)).toBe(text);
  });
});
