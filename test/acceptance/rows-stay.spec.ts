import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { inflateSync } from 'node:zlib';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openRun, snapshotStudy, type Home } from '#apps/runner';
import { readStudy } from '#libs/studies';
import { madeUpParcels, makeStudy } from '../support/fixture-study.ts';
import { follow, openTestHome } from '../support/follow.ts';
import { holdfast, jsonLines } from '../support/holdfast.ts';
import { temporaryFolder } from '../support/prepared.ts';
import { bad, good } from '../support/results.ts';
import { behave, scriptedAgent, useFeatures } from '../support/scripted-agent.ts';
import { describeOnPostgres } from '../support/with-postgres.ts';

const PATIENCE = 120_000;

/** Stands in every row, in columns that nothing declares and in the row id: found anywhere else it has got out. */
const SENTINEL = 'Zqxwvkjq';
const HEADER = ['parcel', 'courier_name', 'notes', 'ssn'] as const;

/** The tests' parcels with people in them. */
const peopledRows = (): readonly (readonly string[])[] => {
  const [header = '', ...rows] = madeUpParcels().trimEnd().split('\n');
  return [
    [...HEADER, ...header.split(',')],
    ...rows.map((row, i) => [
      ...[`${SENTINEL}P${i}`, `${SENTINEL} Person ${i}`, `${SENTINEL} rang twice at ${i}`],
      ...[`${SENTINEL}-${i}`, ...row.split(',')],
    ]),
  ];
};

const ofTable = (text: string): string =>
  text.replace('path: data/parcels.csv', 'table: depot.parcels').replace(/\n {2}format: csv/, '');
const withRowId = (text: string): string =>
  text
    .replace(/row_id: null.*/, 'row_id: parcel')
    .replace('identifiers: []', 'identifiers: [courier_name, notes, ssn]');

/** Changes one row, and back again. */
const FLIP = `UPDATE depot.parcels SET in_time = CASE in_time WHEN 'yes' THEN 'no' ELSE 'yes' END
  WHERE parcel = '${SENTINEL}P7'`;

/** Objects of git are compressed: what is searched is what stands in them. */
const plain = (bytes: Buffer): Buffer => (bytes[0] === 0x78 ? inflateSync(bytes) : bytes);

/** Every file below a folder that holds one of these texts, in UTF-8 or as hexadecimal or base64 of it. */
const filesWith = async (folder: string, texts: readonly string[]): Promise<readonly string[]> => {
  const needles = texts
    .flatMap((text) => [text, Buffer.from(text).toString('hex')])
    .map((text) => Buffer.from(text));
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = plain(await readFile(path));
    if (needles.some((needle) => bytes.includes(needle))) found.push(relative(folder, path));
  }
  return found;
};

let root: string;
let home: Home;
beforeEach(async () => {
  root = await temporaryFolder();
  home = await openTestHome({ folder: join(root, 'home') });
});
afterEach(async () => {
  await home.close();
  await rm(root, { recursive: true, force: true });
});

/** Ideas of which one crashes, so that errors of programs are among what is searched. */
const IDEAS = [useFeatures('shift', 'route'), behave('crash'), useFeatures('shift')];

describe('a run on a file with people in it', () => {
  it(
    'leaves no trace of them: log, views, objects, trainings, verdicts',
    async () => {
      const study = await makeStudy(join(root, 'study'), { 'holdfast.yaml': withRowId });
      const csv = peopledRows().map((row) => row.join(','));
      await writeFile(join(study, 'data/parcels.csv'), csv.join('\n'));
      const state = good(await follow(home, study, scriptedAgent(IDEAS)));
      expect(state.node).toBe('sealed');
      expect(await filesWith(join(root, 'home'), [SENTINEL])).toEqual([]);
      // The search does find what is there.
      expect(await filesWith(study, [SENTINEL])).toEqual(['data/parcels.csv']);
      const spoken = await filesWith(join(root, 'home'), ['shift,route']);
      expect(spoken.filter((path) => /objects/.test(path))).not.toEqual([]);
    },
    PATIENCE,
  );

  it('leaves none where its study is refused or halted either', async () => {
    const rows = peopledRows();
    for (const [column, spoilt] of [
      ['shift', `${SENTINEL} Person`],
      ['in_time', `${SENTINEL} Person`],
    ] as const) {
      const folder = join(root, column);
      await makeStudy(folder, { 'holdfast.yaml': withRowId });
      const at = rows[0]!.indexOf(column);
      const changed = rows.map((row, i) => (i > 0 && i < 30 ? row.with(at, spoilt) : row));
      await writeFile(
        join(folder, 'data/parcels.csv'),
        changed.map((row) => row.join(',')).join('\n'),
      );
      const opened = await openRun(home, { study: good(await readStudy(folder)), seed: 1 });
      expect(JSON.stringify(opened.ok ? null : opened.error)).not.toContain(SENTINEL);
    }
    expect(await filesWith(join(root, 'home'), [SENTINEL])).toEqual([]);
  });
});

describe('a run on cohorts by a number of people', () => {
  it(
    'is halted by the pre-loop gate, which says the class and how many; nothing leaves the vault',
    async () => {
      const study = await makeStudy(join(root, 'study'), {
        'holdfast.yaml': (text) =>
          withRowId(text).replace(
            / {4}paper: .*/,
            "    code: { column: paper, bins: [500000000], labels: ['low', 'high'] }",
          ),
      });
      const [header = [], ...rows] = peopledRows();
      const at = header.indexOf('paper');
      const numbered = rows.map((row, i) => row.with(at, String(101_010_001 + i * 200_003)));
      await writeFile(
        join(study, 'data/parcels.csv'),
        [header, ...numbered].map((row) => row.join(',')).join('\n'),
      );
      const { runId } = good(await openRun(home, { study: good(await readStudy(study)), seed: 1 }));
      const { state } = await home.runs.load(runId);
      expect(state.opened?.cohorts).toBeNull();
      expect(state.haltMessage).toMatch(
        /pii-values.*"paper": national or tax numbers of people in \d[\d,]* of 3,000 different values/,
      );
      expect(await filesWith(join(root, 'home'), [SENTINEL, '101010001', '101210004'])).toEqual([]);
    },
    PATIENCE,
  );
});

describeOnPostgres('a study on a table of PostgreSQL', (server) => {
  let url: string;
  let owner: Client;
  let study: string;
  beforeAll(async () => {
    url = await server().database();
    owner = new Client({ connectionString: url });
    await owner.connect();
    const [header = [], ...rows] = peopledRows();
    await owner.query(
      `CREATE SCHEMA depot; CREATE TABLE depot.parcels (${header.map((name) => `${name} text`).join(', ')})`,
    );
    await owner.query(
      `INSERT INTO depot.parcels SELECT * FROM json_populate_recordset(NULL::depot.parcels, $1)`,
      [
        JSON.stringify(
          rows.map((row) => Object.fromEntries(row.map((value, i) => [header[i], value]))),
        ),
      ],
    );
  }, PATIENCE);
  afterAll(() => owner.end());
  beforeEach(async () => {
    await home.close();
    home = await openTestHome({ folder: join(root, 'home'), dataUrl: url });
    study = await makeStudy(join(root, 'study'), {
      'holdfast.yaml': (text) => withRowId(ofTable(text)),
    });
  });

  const opened = async () => openRun(home, { study: good(await readStudy(study)), seed: null });

  it(
    'runs to its end on a snapshot, and leaves people and password nowhere else',
    async () => {
      const state = good(await follow(home, study, scriptedAgent(IDEAS)));
      expect(state.node).toBe('sealed');
      const digest = state.opened?.pins.dataDigest ?? '';
      const password = new URL(url).password;
      const found = await filesWith(join(root, 'home'), [SENTINEL, password]);
      // The row ids, by which rows are split, lie in the snapshot and nowhere else.
      expect(found).toEqual([`snapshots/${digest}.csv`]);
      expect(await readFile(join(root, 'home/snapshots', `${digest}.csv`), 'utf8')).not.toMatch(
        /Person|rang/,
      );
    },
    PATIENCE,
  );

  it(
    'stands on one snapshot until another is taken, and a run on the one that it pinned',
    async () => {
      const first = good(await opened()).study.dataDigest;
      await owner.query(FLIP);
      try {
        const again = good(await opened());
        expect(again.study.dataDigest).toBe(first);
        const { policy } = good(await readStudy(study));
        const taken = good(await snapshotStudy(home, policy));
        expect(taken.sha256).not.toBe(first);
        expect(good(await opened()).study.dataDigest).toBe(taken.sha256);
        await rm(join(root, 'home/snapshots', `${taken.sha256}.csv`));
        expect(bad(await opened()).code).toBe('snapshot-missing');
      } finally {
        await owner.query(FLIP);
      }
    },
    PATIENCE,
  );

  it('is refused where nobody says where its server is', async () => {
    await home.close();
    home = await openTestHome({ folder: join(root, 'home') });
    expect(bad(await opened())).toMatchObject({ code: 'no-data-connection' });
  });

  it(
    'is checked and snapshot by the command, which shows no password',
    async () => {
      const env = { HOLDFAST_DATA_URL: url, HOLDFAST_HOME: join(root, 'other') };
      const checked = await holdfast(['check', study, '--json'], { env });
      expect([checked.exitCode, checked.stderr]).toEqual([0, '']);
      // Nothing is written.
      await expect(readdir(join(root, 'other'))).rejects.toThrow('ENOENT');
      const taken = await holdfast(['snapshot', study, '--json'], { env });
      expect(taken.exitCode).toBe(0);
      expect(jsonLines(taken)[0]).toMatchObject({ study: 'parcels', rows: 3000 });
      const without = await holdfast(['check', study], {
        env: { HOLDFAST_HOME: join(root, 'none') },
      });
      expect(without.exitCode).toBe(2);
      const away = await holdfast(['check', study], {
        env: {
          HOLDFAST_DATA_URL: 'postgres://u:Secret7@127.0.0.1:1/d',
          HOLDFAST_HOME: join(root, 'none'),
        },
      });
      expect(away.exitCode).toBe(3);
      for (const { stdout, stderr } of [checked, taken, without, away])
        expect(stdout + stderr).not.toMatch(
          new RegExp(`${new URL(url).password}|Secret7|${SENTINEL}`),
        );
    },
    PATIENCE,
  );
});
