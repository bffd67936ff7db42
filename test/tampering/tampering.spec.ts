import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assembled, partsOf } from './assemble.ts';
import { disagreements, falseBlocks, tamperingBattery, type Outcome } from './battery.ts';
import { caseOf, FAMILIES, poolOf, type Pool } from './cases.ts';
import { goldenOf } from './honest.ts';
import { firstVerifier, secondVerifier, type SecondVerifier } from './verifiers.ts';

const CASES = 1_000;
const HONEST = 50;
const PATIENCE = 300_000;

let pool: Pool;
let second: SecondVerifier;
beforeAll(async () => {
  pool = await poolOf(2);
  second = secondVerifier();
}, PATIENCE);
afterAll(() => second.close());

it('the second verifier holds to published vectors', () => {
  const folder = new URL('../second-verifier/', import.meta.url);
  const said = spawnSync('python3', ['-B', '-m', 'unittest', 'vectors'], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect({ status: said.status, stderr: said.stderr }).toMatchObject({
    status: 0,
    stderr: /OK\n$/,
  });
});

describe('honest bundles', () => {
  it.each([
    ['v1-pay', 'finding'],
    ['v1-pay', 'run'],
    ['v2-pay', 'finding'],
    ['v2-pay', 'run'],
  ] as const)('pass both verifiers: of %s, a %s', async (name, kind) => {
    const { bytes, trust } = await goldenOf(name, kind);
    const [one, other] = [await firstVerifier(bytes, trust), await second.verify(bytes, trust)];
    expect([one.verdict, other.verdict]).toEqual(['PASS', 'PASS']);
    expect(disagreements(one, other)).toEqual([]);
  });

  it('are written here as the program writes them', async () => {
    for (const { what, world, bytes } of [...pool.honest, ...pool.forged])
      expect(Buffer.compare(await assembled(partsOf(world)), bytes), what).toBe(0);
  });

  it(
    `pass both verifiers: ${HONEST} of them`,
    async () => {
      expect(await falseBlocks(second, 10_000, HONEST, 4)).toEqual([]);
    },
    PATIENCE,
  );
});

describe(`${CASES} bundles that were tampered with`, () => {
  let outcomes: readonly Outcome[];
  beforeAll(async () => {
    outcomes = await tamperingBattery(pool, second, 0, CASES);
  }, PATIENCE);

  it.each(FAMILIES)('%s: blocked by both verifiers, for the right reason', (family) => {
    const own = outcomes.filter((outcome) => outcome.family === family);
    expect(own.length).toBeGreaterThan(20);
    expect(own.flatMap(({ problems }) => problems)).toEqual([]);
  });

  it('are the same again by their numbers', async () => {
    for (const number of [0, 1, 3, 17, 901]) {
      const [one, again] = [await caseOf(number, pool), await caseOf(number, pool)];
      expect(one.what).toBe(again.what);
      expect(Buffer.compare(one.bytes, again.bytes)).toBe(0);
    }
  });

  it('are described where they are documented', () => {
    const page = readFileSync(
      new URL('../../docs/reference/tampering.md', import.meta.url),
      'utf8',
    );
    for (const family of FAMILIES) expect(page).toContain(`| ${family} `);
  });
});
