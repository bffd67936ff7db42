import { appendFile, cp, readdir, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRun } from '#apps/runner';
import { detectSandbox, openSandbox } from '#libs/sandbox';
import { readStudy } from '#libs/studies';
import { tooWeak } from '../../apps/runner/src/opening/demanded-layers.ts';
import { drive } from '../support/drive.ts';
import { endState, type EndState } from '../support/end-state.ts';
import { makeStudy } from '../support/fixture-study.ts';
import { openTestHome } from '../support/follow.ts';
import { holdfast, jsonLines } from '../support/holdfast.ts';
import { prepare, temporaryFolder, type Prepared } from '../support/prepared.ts';
import { bad, good } from '../support/results.ts';

const PATIENCE = 120_000;

interface Refused {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly problems?: readonly { readonly path: string; readonly message: string }[];
  };
}

/** Events of a home, as whoever looks into it finds them. */
const eventsIn = async (folder: string): Promise<number> => {
  const home = await openTestHome({ folder });
  let count = 0;
  for await (const _ of home.log.readAll()) count += 1;
  await home.close();
  return count;
};

describe('a study that is not sound is refused, and no event is written', () => {
  let root: string;
  let study: string;
  let home: string;
  beforeAll(async () => {
    root = await temporaryFolder();
  });
  afterAll(() => rm(root, { recursive: true }));
  const fresh = async (name: string, ...changes: Parameters<typeof makeStudy>[1][]) => {
    study = await makeStudy(join(root, name, 'study'), changes[0]);
    home = join(root, name, 'home');
  };
  const run = (...args: readonly string[]) => holdfast(['run', study, '--home', home, ...args]);

  it(
    'a file with several errors: all at once, each with its line',
    async () => {
      await fresh('errors', {
        'holdfast.yaml': (yaml) =>
          yaml
            .replace('minimum_cell: 5', 'minimum_cell: 1')
            .replace('total: 80', 'total: lots')
            .replace('metric: log-loss', 'metric: vibes'),
      });
      const said = await run();
      expect(said).toMatchObject({ exitCode: 2, stdout: '' });
      expect(said.stderr).toContain('the study file has 3 errors; nothing was written');
      for (const place of [
        /holdfast\.yaml:34:\d+/,
        /holdfast\.yaml:36:\d+/,
        /holdfast\.yaml:40:\d+/,
      ])
        expect(said.stderr).toMatch(place);

      const json = await run('--json');
      expect(json.exitCode).toBe(2);
      const [{ error }] = jsonLines<Refused>(json) as readonly [Refused];
      expect(error.code).toBe('study-file');
      expect(error.problems).toHaveLength(3);
      expect(await eventsIn(home)).toBe(0);
    },
    PATIENCE,
  );

  it(
    'a work tree that is not what was committed: what is dirty is named',
    async () => {
      await fresh('dirty');
      await appendFile(join(study, 'program/train.js'), '// one more line\n');
      await writeFile(join(study, 'program/new.js'), '');
      const said = await run();
      expect(said.exitCode).toBe(2);
      expect(said.stderr).toContain('program/train.js');
      expect(said.stderr).toContain('program/new.js');
      expect(await eventsIn(home)).toBe(0);
    },
    PATIENCE,
  );

  it(
    'a folder that is no git repository',
    async () => {
      await fresh('bare');
      await rm(join(study, '.git'), { recursive: true });
      const said = await run('--json');
      expect(said.exitCode).toBe(2);
      expect(jsonLines<Refused>(said)[0]?.error.code).toBe('not-a-repository');
      expect(await eventsIn(home)).toBe(0);
    },
    PATIENCE,
  );

  it(
    'a study without its data',
    async () => {
      await fresh('no-data');
      await rm(join(study, 'data/parcels.csv'));
      const said = await run();
      expect(said.exitCode).toBe(2);
      expect(said.stderr).toContain('parcels.csv');
      expect(await eventsIn(home)).toBe(0);
    },
    PATIENCE,
  );

  it(
    'a folder without a study',
    async () => {
      const said = await holdfast(['run', root, '--home', home]);
      expect(said.exitCode).toBe(2);
      expect(said.stderr).toContain('holdfast.yaml');
    },
    PATIENCE,
  );

  it('a machine without a sandbox: nothing runs', async () => {
    await fresh('no-sandbox');
    const none = await detectSandbox([join(root, 'nowhere')]);
    const opened = await openTestHome({
      folder: home,
      sandbox: async () => (none.ok ? openSandbox(none.value) : none),
    });
    const onDisk = good(await readStudy(study));
    const refusal = bad(await openRun(opened, { study: onDisk, seed: 1 }));
    expect(refusal).toMatchObject({
      code: 'sandbox-missing',
      message: expect.stringContaining('apt-get install bubblewrap'),
    });
    await opened.close();
    expect(await eventsIn(home)).toBe(0);
  });

  it('a machine whose sandbox lacks a layer that the study demands, which is named', async () => {
    await fresh('weak-sandbox');
    const sandbox = good(await openSandbox());
    const without = (...missing: readonly string[]) => ({
      ...sandbox,
      report: {
        ...sandbox.report,
        layers: sandbox.report.layers.filter((layer) => !missing.includes(layer)),
      },
    });
    const opened = await openTestHome({
      folder: home,
      sandbox: () =>
        Promise.resolve({ ok: true, value: without('seccomp', 'no-network', 'landlock') }),
    });
    const onDisk = good(await readStudy(study));
    expect(onDisk.policy.sandbox.minimum).toContain('seccomp');
    const refusal = bad(await openRun(opened, { study: onDisk, seed: 1 }));
    expect(refusal.code).toBe('sandbox-too-weak');
    expect(refusal.message).toContain('this machine lacks no-network, seccomp,');
    expect(refusal.message).toContain('holdfast doctor');
    await opened.close();
    expect(await eventsIn(home)).toBe(0);
  });
});

describe('a run whose study demands more than its workers have', () => {
  it('is opened by nobody, unless one of them has it or none is there yet', async () => {
    const place = (name: string, ...layers: readonly string[]) => ({ name, layers });
    const opening = (...places: readonly { name: string; layers: readonly string[] }[]) =>
      tooWeak(
        {
          queue: () =>
            Promise.resolve({
              ok: true,
              value: {
                run: () => Promise.reject(new Error('no')),
                places: () => Promise.resolve(places),
              },
            }),
          environment: () =>
            Promise.resolve({
              holdfast: '1',
              runtime: { name: 'node', version: 'v24', sha256: 'ab' },
              platform: 'linux',
              architecture: 'x64',
            }),
        },
        { sandbox: { minimum: ['no-network', 'own-user'] } },
      );
    expect(await opening()).toBeNull();
    expect(await opening(place('gpu-1', 'no-network', 'own-user', 'seccomp'))).toBeNull();
    expect(await opening(place('gpu-1'), place('gpu-2', 'own-user', 'no-network'))).toBeNull();
    const refused = bad(
      (await opening(place('gpu-1', 'own-user'), place('gpu-2', 'seccomp'))) ?? {
        ok: true,
        value: null,
      },
    );
    expect(refused.message).toContain('gpu-1 lacks no-network; gpu-2 lacks no-network, own-user');
  });
});

describe('a run that was interrupted', () => {
  let prepared: Prepared;
  let undisturbed: EndState;
  beforeAll(async () => {
    prepared = await prepare();
    const home = await prepared.home();
    expect(await drive(home, prepared.study).ended).toMatchObject({ exitCode: 0 });
    undisturbed = await endState(home);
  }, PATIENCE);
  afterAll(() => prepared.remove());

  /** A home whose run was killed right after its nth append. */
  const interrupted = async (append: number): Promise<string> => {
    const home = await prepared.home();
    expect(await drive(home, prepared.study, { when: 'after', append }).ended).toMatchObject({
      signal: 'SIGKILL',
    });
    return home;
  };
  const goesOn = async (home: string): Promise<void> => {
    expect(await drive(home, prepared.study).ended).toMatchObject({ exitCode: 0 });
    expect(await endState(home)).toEqual(undisturbed);
  };

  it(
    'is not resumed on other data than it was opened on',
    async () => {
      const home = await interrupted(10);
      const data = join(prepared.study, 'data/parcels.csv');
      const { size } = await stat(data);
      const before = await eventsIn(home);
      await appendFile(data, 'day,city,white,north,signed,yes\n');
      const said = await holdfast(['run', '--resume', '--home', home]);
      await truncate(data, size);
      expect(said.exitCode).toBe(2);
      expect(said.stderr).toMatch(/data.*digest|digest.*data|pinned/);
      expect(await eventsIn(home)).toBe(before);
      await goesOn(home);
    },
    PATIENCE,
  );

  it(
    'is not resumed without the key that split its rows; no new one is made',
    async () => {
      const home = await interrupted(10);
      const keys = await readdir(join(home, 'keys'));
      const key = join(home, 'keys', keys.find((name) => name.startsWith('split-')) ?? '');
      await rename(key, `${key}.away`);
      const said = await holdfast(['run', '--resume', '--home', home, '--json']);
      expect(said.exitCode).toBe(2);
      expect(jsonLines<Refused>(said).at(-1)?.error.code).toBe('split-key-lost');
      expect(await readdir(join(home, 'keys'))).not.toContain(
        keys.find((name) => name.startsWith('split-')),
      );
      await rename(`${key}.away`, key);
      await goesOn(home);
    },
    PATIENCE,
  );

  it(
    'goes on after its last write was cut in the middle, and says what was dropped',
    async () => {
      const home = await interrupted(12);
      const before = await eventsIn(await copyOf(home));
      const wal = join(home, 'log.sqlite-wal');
      await truncate(wal, (await stat(wal)).size - 100);
      const said = await holdfast(['runs', '--home', home]);
      expect(said.exitCode).toBe(0);
      expect(said.stderr).toMatch(/was interrupted: \d+ bytes of it .*never acknowledged.*dropped/);
      expect(await eventsIn(home)).toBeLessThan(before);
      // Said once: what was dropped is gone.
      expect((await holdfast(['runs', '--home', home])).stderr).toBe('');
      await goesOn(home);
    },
    PATIENCE,
  );

  it(
    'goes on in a home whose log was still being made when the process was killed',
    async () => {
      const home = await prepared.home();
      for (const name of ['log.sqlite.4711.new', 'log.sqlite.4711.new-journal'])
        await writeFile(join(home, name), 'SQLite format 3');
      await goesOn(home);
    },
    PATIENCE,
  );

  const copyOf = async (home: string): Promise<string> => {
    const copy = `${home}-copy`;
    await cp(home, copy, { recursive: true });
    return copy;
  };
});
