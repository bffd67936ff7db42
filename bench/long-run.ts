import { hash } from 'node:crypto';
import { generateKey, sign } from '#libs/signatures';
import {
  honestRun,
  type HonestRun,
  type Iteration,
  type Workshop,
} from '../libs/provenance/src/testing/honest-run.ts';
import { examplePolicy } from '../libs/harness/src/testing/policy.ts';

export const sha256 = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex');
export const sha1 = (bytes: Uint8Array): string => hash('sha1', bytes, 'hex');

export const makeWorkshop = (): Workshop => {
  const runner = generateKey();
  const worker = generateKey();
  const other = generateKey();
  return {
    sha256,
    sha1,
    keys: { runner, worker },
    other,
    sign: (who, context, value) => sign({ runner, worker, other }[who], context, value),
  };
};

const ROUND: readonly Iteration[] = ['kept', 'crashed', 'discarded', 'kept-large', 'diverged'];
const EVENTS_PER_ROUND = 54;

/** A run of at least so many events, with every kind of decision, that a budget without practical end pays for. */
export const longRun = (workshop: Workshop, events: number): HonestRun => {
  const rounds = Math.ceil(events / EVENTS_PER_ROUND);
  const { runner, worker } = workshop.keys;
  const plain = ({ keyId, publicKey }: typeof runner) => ({ keyId, publicKey });
  return honestRun(
    { ...workshop, keys: { runner: plain(runner), worker: plain(worker) } },
    Array.from({ length: rounds }, () => ROUND).flat(),
    {
      ...examplePolicy,
      // Of such a budget a trial has so small a share of the level that two seeds could keep nothing.
      replicates: 1,
      budget: { ...examplePolicy.budget, total: 10_000_000 },
    },
  );
};
