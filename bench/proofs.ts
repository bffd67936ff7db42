/**
 * What proofs cost: bundles verified, and the Merkle tree. A part of main.ts that can be measured alone.
 *
 *     npm run build && node dist/bench/proofs.js [--full]
 */
import { benchBundle } from './bundle.ts';
import { benchMerkle } from './merkle.ts';
import { bundleRows, merkleRows } from './rows.ts';
import { table, type Sections } from './table.ts';

const [SMALL, LARGE] = [10_000, 100_000];

/** `full`: a bundle of a million events too, which takes minutes to make. */
export const proofSections = async (
  full: boolean,
  say: (what: string) => void,
): Promise<Sections> => {
  say('bundles');
  const bundles = [await benchBundle(SMALL), await benchBundle(LARGE)];
  if (full) bundles.push(await benchBundle(10 * LARGE, 1));
  say('the Merkle tree');
  const merkle = await benchMerkle(LARGE);
  const tree = `The Merkle tree of RFC 6962, ${merkle.leaves.toLocaleString('en-US')} leaves`;
  return {
    'Verification of a bundle from its file': bundleRows(bundles),
    [merkle.tlog === null
      ? `${tree}; beside no other one: golang-go and golang-golang-x-mod-dev are not installed`
      : tree]: merkleRows(merkle),
  };
};

if (process.argv[1] === import.meta.filename) {
  const sections = await proofSections(process.argv.includes('--full'), (what) => {
    process.stderr.write(`measuring ${what} …\n`);
  });
  process.stdout.write(`\n${table(sections)}\n`);
}
