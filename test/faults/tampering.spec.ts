import { chmod, cp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { drive } from '../support/drive.ts';
import { git } from '../support/git.ts';
import { holdfast, jsonLines } from '../support/holdfast.ts';
import { prepare, type Prepared } from '../support/prepared.ts';

const PATIENCE = 120_000;
const FINDING = 'parcels-1-f1';
const RUN = 'run-parcels-1';

let prepared: Prepared;
let honest: string;

/** A home with one finding that a reviewer has accepted. */
beforeAll(async () => {
  prepared = await prepare();
  honest = await prepared.home();
  expect(await drive(honest, prepared.study).ended).toMatchObject({ exitCode: 0 });
  expect(await verify(honest)).toMatchObject({ exitCode: 0, verdict: { verdict: 'PASS' } });
  const accepted = await holdfast([
    ...['review', FINDING, 'accept', '--reason', 'the route is known to matter'],
    ...['--home', honest],
  ]);
  expect(accepted).toMatchObject({ exitCode: 0, stdout: `${FINDING}: accepted\n` });
}, PATIENCE);
afterAll(() => prepared.remove());

interface Verdict {
  readonly verdict: 'PASS' | 'BLOCK';
  readonly rows: readonly {
    readonly row: string;
    readonly passed: boolean;
    readonly found: string;
    readonly expected: string;
  }[];
}

const verify = async (home: string) => {
  const said = await holdfast(['verify', FINDING, '--home', home, '--json']);
  return { exitCode: said.exitCode, verdict: jsonLines<Verdict>(said)[0] };
};

const acceptedTree = (home: string): string =>
  git(join(home, 'objects.git'), 'rev-parse', 'refs/holdfast/accepted/parcels');

const onLog = (home: string, work: (log: DatabaseSync) => void): void => {
  const log = new DatabaseSync(join(home, 'log.sqlite'));
  work(log);
  log.close();
};

const dataOf = (home: string, type: string): Record<string, string> => {
  let data: Record<string, string> = {};
  onLog(home, (log) => {
    const row = log.prepare('SELECT canonical FROM events WHERE type = ? LIMIT 1').get(type);
    data = JSON.parse(new TextDecoder().decode(row?.['canonical'] as Uint8Array)).data;
  });
  return data;
};

const objectFile = (home: string, oid: string): string =>
  join(home, 'objects.git/objects', oid.slice(0, 2), oid.slice(2));

const sql =
  (...statements: readonly string[]) =>
  async (home: string): Promise<void> => {
    onLog(home, (log) => {
      for (const statement of statements)
        expect(log.prepare(statement).run().changes).toBeGreaterThan(0);
    });
  };

const at = (type: string): string =>
  `(SELECT min(revision) FROM events WHERE stream = '${RUN}' AND type = '${type}')`;

const TAMPERINGS: readonly {
  readonly what: string;
  readonly tamper: (home: string) => Promise<void>;
  /** What the verdict says of it. */
  readonly reason: RegExp;
}[] = [
  {
    what: 'a charge made smaller',
    tamper: sql(
      `UPDATE events SET canonical = CAST(replace(CAST(canonical AS TEXT), '"cost":20', '"cost":10') AS BLOB)
       WHERE stream = '${RUN}' AND type = 'BudgetCharged' AND instr(CAST(canonical AS TEXT), '"cost":20')`,
    ),
    reason: /hash-chain: .*\ncharges: .*cost is 10, expected 20/,
  },
  {
    what: 'a discarded mutation deleted',
    tamper: sql(
      `DELETE FROM events WHERE stream = '${RUN}' AND revision = ${at('MutationReverted')}`,
    ),
    reason: /hash-chain: .*revision is 17, expected 16(.|\n)*complete-chain: .* has no decision/,
  },
  {
    what: 'two events swapped',
    tamper: sql(
      `UPDATE events SET revision = -1 WHERE stream = '${RUN}' AND type = 'DivergenceDetected'`,
      `UPDATE events SET revision = revision - 1 WHERE stream = '${RUN}' AND type = 'RunReverted'`,
      `UPDATE events SET revision = ${at('RunReverted')} + 1 WHERE stream = '${RUN}' AND revision = -1`,
    ),
    reason: /hash-chain: .*revision is 41, expected 40(.|\n)*monitor: /,
  },
  {
    what: 'the divergence and all after it cut off',
    tamper: sql(
      `DELETE FROM events WHERE stream = '${RUN}' AND revision >= ${at('DivergenceDetected')}`,
    ),
    reason: /run-head-signed: the chain ends before event 47/,
  },
  {
    what: 'the whole run deleted',
    tamper: sql(`DELETE FROM events WHERE stream = '${RUN}'`),
    reason: /hash-chain: run-parcels-1 has no events/,
  },
  {
    what: 'the kept commit gone from the repository',
    tamper: async (home) => rm(objectFile(home, dataOf(home, 'MutationKept')['commit'] ?? '')),
    reason: /objects: the attempt .* is absent/,
  },
  {
    what: 'a byte of the kept tree flipped',
    tamper: async (home) => {
      const file = objectFile(home, dataOf(home, 'MutationKept')['tree'] ?? '');
      const bytes = await readFile(file);
      bytes[bytes.length - 3]! ^= 1;
      await chmod(file, 0o644);
      await writeFile(file, bytes);
    },
    reason: /objects: .*claimed program .* is altered/,
  },
];

it.each(TAMPERINGS)(
  '$what: BLOCK with its reason, the finding is discarded, the accepted line goes back',
  async ({ what, tamper, reason }) => {
    const home = join(prepared.root, what.replaceAll(' ', '-'));
    await cp(honest, home, { recursive: true });
    const { tree: source } = dataOf(home, 'BaselineEstablished');
    const { tree: kept } = dataOf(home, 'MutationKept');
    expect(acceptedTree(home)).toBe(kept);
    await tamper(home);

    const { exitCode, verdict } = await verify(home);
    expect({ exitCode, verdict: verdict?.verdict }).toEqual({ exitCode: 1, verdict: 'BLOCK' });
    const failed = verdict?.rows.filter(({ passed }) => !passed) ?? [];
    expect(failed.map(({ row, found }) => `${row}: ${found}`).join('\n')).toMatch(reason);
    expect(acceptedTree(home)).toBe(source);

    const types: string[] = [];
    onLog(home, (log) => {
      const rows = log.prepare('SELECT type FROM events WHERE stream = ? ORDER BY revision');
      for (const { type } of rows.all(`finding-${FINDING}`)) types.push(String(type));
    });
    expect(types.slice(-3)).toEqual([
      'FindingVerified',
      'FindingDiscarded',
      'AcceptedLineReverted',
    ]);
  },
  PATIENCE,
);

it(
  'a finding that was once discarded stays so, even when its chain is whole again',
  async () => {
    const home = join(prepared.root, 'discarded');
    await cp(honest, home, { recursive: true });
    const source = dataOf(home, 'BaselineEstablished')['tree'];
    const commit = objectFile(home, dataOf(home, 'MutationKept')['commit'] ?? '');
    await rename(commit, `${commit}.away`);
    const said = await holdfast(['verify', FINDING, '--home', home]);
    expect(said).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('BLOCK') });
    await rename(`${commit}.away`, commit);
    // As a process leaves it that ends between the discard and the ref's move.
    const kept = dataOf(home, 'MutationKept')['tree'] ?? '';
    git(join(home, 'objects.git'), 'update-ref', 'refs/holdfast/accepted/parcels', kept);
    expect(await verify(home)).toMatchObject({ exitCode: 0 });
    expect(acceptedTree(home)).toBe(source);
    const accept = ['review', FINDING, 'accept', '--reason', 'never mind', '--home', home];
    const refused = await holdfast(accept);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain('discarded');
    expect(acceptedTree(home)).toBe(source);
  },
  PATIENCE,
);
