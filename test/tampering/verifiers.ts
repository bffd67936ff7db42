import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { bytesSource, verifyBundle } from '#libs/bundle';
import { nodePorts } from '../../libs/bundle/src/testing/fixture.ts';
import type { Trust } from './honest.ts';

/** What a verifier says of a bundle: which rows fail, of the bundle and of its findings; null: it is no bundle. */
export interface Said {
  readonly verdict: 'PASS' | 'BLOCK' | 'REFUSED';
  readonly rows: readonly {
    readonly row: string;
    readonly passed: boolean;
    readonly found: string;
  }[];
}

type Rows = Said['rows'];

const joined = (
  rows: Rows,
  findings: readonly { readonly findingId: string; readonly rows: Rows }[],
): Rows => [
  ...rows.map(({ row, passed, found }) => ({ row, passed, found })),
  ...findings.flatMap(({ findingId, rows: own }) =>
    own.map(({ row, passed, found }) => ({ row: `${findingId}: ${row}`, passed, found })),
  ),
];

export const firstVerifier = async (
  bytes: Uint8Array,
  { logKey, witnesses, seen }: Trust,
): Promise<Said> => {
  const verified = await verifyBundle(bytesSource(bytes), { logKey, witnesses, seen }, nodePorts);
  if (!verified.ok) return { verdict: 'REFUSED', rows: [] };
  const { verdict, rows, findings } = verified.value;
  return { verdict, rows: joined(rows, findings) };
};

/** Names of the failed rows, without the finding that they are of. */
export const failed = ({ rows }: Said): readonly string[] =>
  rows.filter(({ passed }) => !passed).map(({ row }) => row.replace(/^.*: /, ''));

export interface SecondVerifier {
  readonly verify: (bytes: Uint8Array, trust: Trust) => Promise<Said>;
  readonly close: () => Promise<void>;
}

const PROGRAM = new URL('../second-verifier/verify.py', import.meta.url).pathname;

/** The verifier in Python, one process for any number of bundles. */
export const secondVerifier = (): SecondVerifier => {
  const child = spawn('python3', ['-B', PROGRAM, '--lines'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting: {
    readonly answered: (line: string) => void;
    readonly failed: (error: Error) => void;
  }[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.answered(line));
  child.on('exit', (code) => {
    for (const { failed: fail } of waiting.splice(0))
      fail(new Error(`the second verifier ended with ${code}`));
  });
  return {
    verify: async (bytes, { logKey, witnesses, seen }) => {
      const answer = new Promise<string>((answered, fail) =>
        waiting.push({ answered, failed: fail }),
      );
      const base64 = Buffer.from(bytes).toString('base64');
      child.stdin.write(`${JSON.stringify({ base64, key: logKey, witnesses, seen })}\n`);
      const said = JSON.parse(await answer) as {
        readonly verdict: Said['verdict'];
        readonly rows: Rows;
        readonly findings: readonly { readonly findingId: string; readonly rows: Rows }[];
      };
      return { verdict: said.verdict, rows: joined(said.rows, said.findings) };
    },
    close: async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
};
