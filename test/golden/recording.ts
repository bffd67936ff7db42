import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { FINDING_UPCASTERS } from '#libs/findings';
import { FLEET_UPCASTERS } from '#libs/fleet';
import { fold, type Decider, type Fact } from '#libs/kernel';
import { NOTARY_UPCASTERS } from '#libs/notary';
import type { StoredBytes } from '#libs/provenance';
import { RUN_UPCASTERS } from '#libs/run';
import { generateKey, sign } from '#libs/signatures';
import type { Workshop } from '../../libs/provenance/src/testing/honest-run.ts';

/** New keys, and what signs and hashes with them. */
export const makeWorkshop = (): Workshop => {
  const runner = generateKey();
  const worker = generateKey();
  const other = generateKey();
  const named = ({ keyId, publicKey }: typeof runner) => ({ keyId, publicKey });
  return {
    sha256: (bytes) => hash('sha256', bytes, 'hex'),
    sha1: (bytes) => hash('sha1', bytes, 'hex'),
    keys: { runner: named(runner), worker: named(worker) },
    other: named(other),
    sign: (who, context, value) => sign({ runner, worker, other }[who], context, value),
  };
};

const UPCASTERS: Readonly<Record<string, readonly unknown[]>> = {
  ...RUN_UPCASTERS,
  ...FINDING_UPCASTERS,
  ...FLEET_UPCASTERS,
  ...NOTARY_UPCASTERS,
};
const schemaVersionOf = (type: string): number => (UPCASTERS[type]?.length ?? 0) + 1;

/** What these commands make of a stream that holds `before`, in the versions of today. */
export const decided = <State, Command, E extends Fact, Code extends string>(
  decider: Decider<State, Command, E, Code>,
  before: readonly Fact[],
  ...commands: readonly Command[]
): readonly (E & { readonly schemaVersion: number })[] => {
  let state = fold(decider, before as readonly E[]);
  return commands.flatMap((command) => {
    const decision = decider.decide(state, command);
    if (!decision.ok) throw new Error(decision.error.message);
    state = decision.value.reduce(decider.evolve, state);
    return decision.value.map((event) => ({
      ...event,
      schemaVersion: schemaVersionOf(event.type),
    }));
  });
};

/** Writes a golden log to the file that the command line names, one stored event a line; never over one that is there. */
export const writeGoldenLog = (events: readonly StoredBytes[]): void => {
  const [, , file] = process.argv;
  if (file === undefined) throw new Error('name the file to write');
  writeFileSync(
    file,
    events
      .map(({ hash, canonical }) =>
        JSON.stringify({ hash, canonical: new TextDecoder().decode(canonical) }),
      )
      .join('\n') + '\n',
    { flag: 'wx' },
  );
};
