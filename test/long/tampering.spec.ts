import { afterAll, beforeAll, expect, it } from 'vitest';
import { falseBlocks, tamperingBattery } from '../tampering/battery.ts';
import { FAMILIES, OPERATIONS, poolOf, type Pool } from '../tampering/cases.ts';
import { secondVerifier, type SecondVerifier } from '../tampering/verifiers.ts';

/** Other numbers than those of the short test. */
const FROM = 100_000;
const CASES = 20_000;
const HONEST = 1_000;

let pool: Pool;
let second: SecondVerifier;
beforeAll(async () => {
  pool = await poolOf(6);
  second = secondVerifier();
});
afterAll(() => second.close());

it('every operation is done to every class of positions', () => {
  // Every other case is one of these, and of so many as both make each comes once.
  expect(CASES / 2).toBeGreaterThanOrEqual(OPERATIONS.length * pool.classes.length);
});

it(`${CASES} bundles that were tampered with: both verifiers block each, for the right reason`, async () => {
  const outcomes = await tamperingBattery(pool, second, FROM, CASES);
  for (const family of FAMILIES)
    expect(outcomes.filter((outcome) => outcome.family === family).length).toBeGreaterThan(500);
  expect(outcomes.flatMap(({ problems }) => problems)).toEqual([]);
});

it(`${HONEST} honest bundles: neither verifier blocks one`, async () => {
  expect(await falseBlocks(second, 20_000, HONEST, 8)).toEqual([]);
});
