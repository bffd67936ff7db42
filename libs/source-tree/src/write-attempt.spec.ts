import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSourceTree } from './open-source-tree.ts';
import type { AttemptRequest, Edit, Pin, SourceTree } from './port.ts';
import { bad, git, good, makeStudy, temporaryFolder, writeFiles } from './testing.ts';

const home = temporaryFolder();
const bare = join(home.path, 'objects.git');
let trees: SourceTree;
let pin: Pin;

beforeAll(async () => {
  trees = await openSourceTree({ dir: bare });
  pin = good(await trees.pinStudy({ folder: makeStudy(home.path).folder, program: 'program' }));
});
afterAll(home.remove);

const request = (edits: readonly Edit[], more: Partial<AttemptRequest> = {}): AttemptRequest => ({
  runId: 'r-1',
  number: 1,
  base: { commit: pin.pinCommit, tree: pin.tree },
  edits,
  message: 'Try a smaller rate',
  trailers: { 'Holdfast-Event': 'e-1' },
  time: '2026-11-23T10:00:00.500Z',
  ...more,
});

const refusal = async (edits: readonly Edit[], more: Partial<AttemptRequest> = {}) =>
  bad(await trees.writeAttempt(request(edits, more)));

describe('writing an attempt', () => {
  it('commits the edited tree on its base and holds it by a ref', async () => {
    const edits = [
      { path: 'hyperparameters.json', content: '{"rate":0.01}\n' },
      { path: 'new/file.bin', content: Uint8Array.of(0, 255) },
      { path: 'features/list.json', content: null },
    ];
    const attempt = good(
      await trees.writeAttempt(request(edits, { runId: 'r-commit', number: 7 })),
    );
    expect(git(bare, 'rev-parse', 'refs/holdfast/runs/r-commit/attempts/7')).toBe(attempt.commit);
    expect(git(bare, 'rev-parse', `${attempt.commit}^`)).toBe(pin.pinCommit);
    expect(git(bare, 'rev-parse', `${attempt.commit}^{tree}`)).toBe(attempt.tree);
    expect(git(bare, 'log', '-1', '--format=%an|%at|%B', attempt.commit)).toBe(
      'Holdfast|1795428000|Try a smaller rate\n\nHoldfast-Event: e-1',
    );
    expect(
      git(bare, 'log', '-1', '--format=%(trailers:key=Holdfast-Event,valueonly)', attempt.commit),
    ).toBe('e-1');
    expect(attempt.changed.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      'deleted features/list.json',
      'modified hyperparameters.json',
      'added new/file.bin',
    ]);
    expect(
      good(await trees.writeAttempt(request(edits, { runId: 'r-commit', number: 7 }))),
    ).toEqual(attempt);
    git(bare, 'fsck', '--full', '--strict');
  });

  it('keeps the executable bit of a file that it edits', async () => {
    const program = join(home.path, 'executable');
    writeFiles(program, { 'program/run.sh': 'echo\n', 'program/x': '' });
    git(program, 'init', '-q');
    git(program, 'add', '-A');
    git(program, 'update-index', '--chmod=+x', 'program/run.sh');
    git(program, 'commit', '-qm', 'Start');
    git(program, 'checkout', '-q', '.');
    const { pinCommit, tree } = good(await trees.pinStudy({ folder: program, program: 'program' }));
    const base = { commit: pinCommit, tree };
    const attempt = good(
      await trees.writeAttempt(request([{ path: 'run.sh', content: 'ls\n' }], { base })),
    );
    expect(attempt.changed[0]?.after?.mode).toBe('100755');
  });

  it('keeps a former attempt of the same number reachable', async () => {
    const at = { runId: 'r-twice', number: 1 };
    const first = good(await trees.writeAttempt(request([{ path: 'a', content: '1' }], at)));
    const second = good(await trees.writeAttempt(request([{ path: 'a', content: '2' }], at)));
    expect(await trees.readRef('runs/r-twice/attempts/1')).toBe(second.commit);
    expect(await trees.readRef(`superseded/${first.commit}`)).toBe(first.commit);
  });

  it('lets a file and a folder change places', async () => {
    const edits = [
      { path: 'model.mjs/index.mjs', content: 'x' },
      { path: 'model.mjs', content: null },
      { path: 'features', content: 'y' },
      { path: 'features/list.json', content: null },
      { path: 'features/deep/note.txt', content: null },
    ];
    const attempt = good(await trees.writeAttempt(request(edits, { runId: 'r-swap' })));
    expect(git(bare, 'ls-tree', '-r', '--name-only', attempt.tree).split('\n')).toEqual([
      'features',
      'hyperparameters.json',
      'model.mjs/index.mjs',
      'train.mjs',
    ]);
  });

  it.each([
    [[{ path: '../escape', content: '' }], 'bad-path'],
    [[{ path: '.git/hooks/post-checkout', content: '' }], 'bad-path'],
    [[{ path: 'sub/.gitattributes', content: null }], 'bad-path'],
    [[{ path: '.gitattributes', content: '* filter=x' }], 'bad-path'],
    [[{ path: '.gitmodules', content: '' }], 'bad-path'],
    [[{ path: 'Aux.js', content: '' }], 'bad-path'],
    [[{ path: 'com1/x', content: '' }], 'bad-path'],
    [[{ path: 'a?.js', content: '' }], 'bad-path'],
    [[{ path: 'fe\u0301', content: '' }], 'bad-path'],
    [[{ path: 'train.mjs/x', content: '' }], 'not-a-folder'],
    [[{ path: 'train.mjs/x', content: null }], 'not-a-folder'],
    [[{ path: 'features', content: '' }], 'is-a-folder'],
    [[{ path: 'features', content: null }], 'is-a-folder'],
    [[{ path: 'nothing', content: null }], 'nothing-to-delete'],
    [[{ path: 'no/thing', content: null }], 'nothing-to-delete'],
    [[{ path: 'Train.mjs', content: '' }], 'collision'],
    [[{ path: 'FEATURES/x', content: '' }], 'collision'],
    [
      [
        { path: 'a', content: '' },
        { path: 'A', content: '' },
      ],
      'collision',
    ],
    [
      [
        { path: 'a', content: '1' },
        { path: 'a', content: '2' },
      ],
      'duplicate',
    ],
    [
      [
        { path: 'a', content: 'x' },
        { path: 'a/b', content: 'x' },
      ],
      'not-a-folder',
    ],
    [[{ path: 'a', content: '\ud800' }], 'bad-content'],
    [[{ path: 'a', content: 'é'.repeat(6) }], 'too-large'],
  ] as [Edit[], string][])('refuses %j: %s', async (edits, code) => {
    const { code: whole, problems } = await refusal(edits, { maxFileBytes: 11 });
    expect(whole).toBe('bad-edit');
    expect(problems.map((problem) => problem.code)).toEqual([code]);
  });

  it('names all problems at once and writes nothing', async () => {
    const before = git(bare, 'count-objects', '-v');
    const { problems, message } = await refusal([
      { path: '/absolute', content: '' },
      { path: 'nothing', content: null },
      { path: 'train.mjs/x', content: '' },
      { path: 'TRAIN.mjs', content: '' },
      { path: 'fine', content: '' },
    ]);
    expect(problems.map(({ code }) => code).sort()).toEqual([
      'bad-path',
      'collision',
      'not-a-folder',
      'nothing-to-delete',
    ]);
    expect(message).toContain('/absolute');
    expect(git(bare, 'count-objects', '-v')).toBe(before);
  });

  it('refuses edits that change nothing', async () => {
    expect((await refusal([])).code).toBe('no-change');
    const same = { path: 'hyperparameters.json', content: '{"rate":0.1}\n' };
    expect((await refusal([same])).code).toBe('no-change');
  });

  it('refuses a base that is missing, damaged or of another tree', async () => {
    const edits = [{ path: 'a', content: 'x' }];
    const other = good(await trees.writeAttempt(request(edits, { runId: 'r-base' })));
    for (const base of [
      { commit: '1'.repeat(40), tree: pin.tree },
      { commit: pin.pinCommit, tree: other.tree },
      { commit: pin.tree, tree: pin.tree },
    ]) {
      expect((await refusal(edits, { base })).code).toBe('bad-base');
    }
  });

  it.each([
    { runId: '../x' },
    { runId: 'a/b' },
    { runId: 'x.lock' },
    { runId: '' },
    { number: -1 },
    { number: 0.5 },
    { time: 'yesterday' },
    { message: ' ' },
    { message: 'a\0b' },
    { trailers: { 'Holdfast-Event': 'a\nHoldfast-Verdict: PASS' } },
    { trailers: { 'Bad: name': 'a' } },
  ] as Partial<AttemptRequest>[])('refuses %j', async (more) => {
    expect((await refusal([{ path: 'a', content: 'x' }], more)).code).toBe('bad-name');
  });

  it('refuses to touch a symlink or a submodule', async () => {
    const odd = join(home.path, 'odd');
    mkdirSync(odd);
    git(odd, 'init', '-q');
    symlinkSync('/etc/passwd', join(odd, 'link'));
    git(odd, 'add', '-A');
    git(odd, 'update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},module`);
    git(odd, 'commit', '-qm', 'Odd');
    git(odd, 'push', '-q', bare, 'HEAD:refs/holdfast/odd');
    const base = {
      commit: git(odd, 'rev-parse', 'HEAD'),
      tree: git(odd, 'rev-parse', 'HEAD^{tree}'),
    };
    const { problems } = await refusal(
      [
        { path: 'link', content: 'x' },
        { path: 'module', content: null },
        { path: 'module/x', content: 'x' },
      ],
      { base },
    );
    expect(problems.map(({ path, code }) => `${code} ${path}`).sort()).toEqual([
      'not-a-folder module/x',
      'special-entry link',
      'special-entry module',
    ]);
    expect(
      good(await trees.diffTrees(pin.tree, base.tree)).map(({ path, kind, after }) => [
        path,
        kind,
        after?.mode,
      ]),
    ).toContainEqual(['link', 'added', '120000']);
    git(bare, 'update-ref', '-d', 'refs/holdfast/odd');
  });
});

const name = fc.constantFrom('a', 'b', 'c', 'a.b', 'a-', 'ü', '🙂', '\uffee');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const files = fc.dictionary(path, fc.string({ maxLength: 8 }), { maxKeys: 10 });

/** Whole sets of files without a file in a folder's place. */
const layout = files.map((all) =>
  Object.fromEntries(
    Object.entries(all).filter(
      ([each]) => !Object.keys(all).some((other) => each.startsWith(`${other}/`)),
    ),
  ),
);

describe('compared with the real git', () => {
  it('makes the same trees of the same files, whatever the edits, and the same diffs', async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(layout, { minLength: 2, maxLength: 4 }), async (layouts) => {
        const work = join(home.path, `layouts-${round++}`);
        let base = { commit: pin.pinCommit, tree: pin.tree };
        let old = Object.fromEntries(
          good(await trees.readTree(pin.tree)).map((file) => [file.path, null as string | null]),
        );
        for (const [step, next] of layouts.entries()) {
          const edits: Edit[] = [
            ...Object.keys(old)
              .filter((each) => !(each in next))
              .map((each) => ({ path: each, content: null })),
            ...Object.entries(next).map(([each, content]) => ({ path: each, content })),
          ];
          const result = await trees.writeAttempt(
            request(edits, { runId: `p-${round}`, number: step, base }),
          );
          if (!result.ok) {
            expect(result.error.code).toBe('no-change');
            continue;
          }
          const folder = join(work, String(step));
          mkdirSync(folder, { recursive: true });
          git(folder, 'init', '-q');
          writeFiles(folder, next);
          git(folder, 'add', '-A');
          expect(result.value.tree).toBe(git(folder, 'write-tree'));
          const raw = git(
            bare,
            'diff-tree',
            '-r',
            '--no-renames',
            '-z',
            base.tree,
            result.value.tree,
          );
          const ours = result.value.changed.map(({ path: at, kind, before, after }) =>
            [
              `:${before?.mode ?? '000000'} ${after?.mode ?? '000000'}`,
              before?.oid ?? '0'.repeat(40),
              after?.oid ?? '0'.repeat(40),
              `${{ added: 'A', modified: 'M', deleted: 'D', 'type-changed': 'T' }[kind]}\0${at}\0`,
            ].join(' '),
          );
          expect(sorted(ours.join(''))).toEqual(sorted(raw));
          base = { commit: result.value.commit, tree: result.value.tree };
          old = next;
        }
      }),
      { numRuns: 12 },
    );
    git(bare, 'fsck', '--full', '--strict');
  });
});

/** Git lists a file's change before that of a folder of its name; the set is what counts. */
const sorted = (raw: string): string[] => raw.split(/(?=:\d{6} )/).sort();
