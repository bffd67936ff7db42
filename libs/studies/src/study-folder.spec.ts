import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LONGEST_STUDY_FILE } from './study-file.ts';
import { readStudy } from './study-folder.ts';

const TEXT = `study: { id: pay, title: Pay, question: What goes with pay? }
program: { path: program, entry: train.js, mutable: { feature: [features.json] } }
data:
  path: data/pay.csv
  outcome: { name: high_pay, column: wage, positive: { at_least: 500 } }
  dimensions: { education: { bins: [12, 16] } }
`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-study-'));
  await mkdir(join(folder, 'program'));
  await mkdir(join(folder, 'data'));
  await writeFile(join(folder, 'program/train.js'), '');
  await writeFile(join(folder, 'program/features.json'), '{}');
  await writeFile(join(folder, 'data/pay.csv'), '');
  await writeFile(join(folder, 'holdfast.yaml'), TEXT);
});
afterEach(() => rm(folder, { recursive: true }));

const problems = async (path = folder) => {
  const read = await readStudy(path);
  return read.ok ? [] : read.error;
};

describe('a study on disk', () => {
  it('is read from its folder', async () => {
    const read = await readStudy(folder);
    expect(read).toMatchObject({
      ok: true,
      value: {
        folder,
        file: join(folder, 'holdfast.yaml'),
        text: TEXT,
        warnings: [],
        policy: { study: { id: 'pay' } },
      },
    });
  });

  it('is read from another study file in it, whose folder is the study’s', async () => {
    await writeFile(join(folder, 'other.yaml'), TEXT.replace('id: pay', 'id: other'));
    const read = await readStudy(join(folder, 'other.yaml'));
    expect(read).toMatchObject({ ok: true, value: { folder, policy: { study: { id: 'other' } } } });
  });

  it('must be there', async () => {
    expect(await problems(join(folder, 'nowhere'))).toMatchObject([{ found: 'no such file' }]);
    await rm(join(folder, 'holdfast.yaml'));
    expect(await problems()).toMatchObject([{ found: 'no such file' }]);
  });

  it('has no name, label or value that identifies people, and does not repeat one', async () => {
    const dimensions = `dimensions:
    education: { bins: [12, 16] }
    who: { column: who, groups: { her: [ann@example.org], AB123456C: [x] } }`;
    await writeFile(
      join(folder, 'holdfast.yaml'),
      TEXT.replace('dimensions: { education: { bins: [12, 16] } }', dimensions),
    );
    const found = await problems();
    expect(found.map(({ line, path, found: what }) => `${line} ${path}: ${what}`)).toEqual([
      '8 data.dimensions.who: a label 2 that looks like national or tax numbers of people',
      '8 data.dimensions.who: a value 1 of group 1 that looks like e-mail addresses',
    ]);
    const allowed = `${dimensions}\n  pii: { allow: { who: they are made up } }`;
    await writeFile(
      join(folder, 'holdfast.yaml'),
      TEXT.replace('dimensions: { education: { bins: [12, 16] } }', allowed),
    );
    expect(await problems()).toEqual([]);
  });

  it('lacks nothing that it names, or is told all that it lacks, each at its line', async () => {
    await rm(join(folder, 'data/pay.csv'));
    await rm(join(folder, 'program/train.js'));
    await rm(join(folder, 'program/features.json'));
    await mkdir(join(folder, 'program/features.json'));
    const found = await problems();
    expect(found.map(({ line, column, path, found: what }) => [line, column, path, what])).toEqual([
      [2, 34, 'program.entry', 'nothing at program/train.js'],
      [2, 65, 'program.mutable.feature[0]', 'no file at program/features.json'],
      [4, 9, 'data.path', 'nothing at data/pay.csv'],
    ]);
  });

  it.each([
    ["'model.js#build'", 'export const build = (a) => a;\n', null],
    ["'model.js#build'", 'export const make = 1;\n', 'program/model.js: no build'],
    ['model.js', 'export const = 1;\n', /^program\/model\.js: line 1: /],
    ["'model.py#RATE'", 'RATE = 1\n', null],
    ["'model.py#rate'", 'RATE = 1\n', 'program/model.py: no rate'],
    ["'a.json#/b/c'", '{ "b": { "c": 1 } }', null],
    ["'a.json#b'", '{ "b": 1 }', null],
    ["'a.json#c'", '{ "b": 1 }', 'program/a.json: no /c'],
  ])('has the parts that it names: %s of %j', async (entry, content, found) => {
    const name = entry.replaceAll("'", '').split('#')[0]!;
    await writeFile(join(folder, 'program', name), content);
    await writeFile(
      join(folder, 'holdfast.yaml'),
      TEXT.replace('[features.json]', `[features.json, ${entry}]`),
    );
    expect(await problems()).toMatchObject(
      found === null
        ? []
        : [{ line: 2, path: 'program.mutable.feature[1]', found: expect.stringMatching(found) }],
    );
  });

  it('is told of a name that differs in case alone', async () => {
    await rm(join(folder, 'data/pay.csv'));
    await writeFile(join(folder, 'data/Pay.csv'), '');
    expect(await problems()).toMatchObject([{ remedy: 'Did you mean Pay.csv?' }]);
  });

  it('is a text in UTF-8', async () => {
    await writeFile(join(folder, 'holdfast.yaml'), Buffer.from([0x73, 0xff, 0xfe]));
    expect(await problems()).toMatchObject([{ found: 'bytes that are not UTF-8' }]);
  });

  it('is not read whole when it is too long', async () => {
    await writeFile(join(folder, 'holdfast.yaml'), 'é'.repeat(LONGEST_STUDY_FILE));
    expect(await problems()).toMatchObject([{ expected: `at most ${LONGEST_STUDY_FILE}` }]);
  });
});
