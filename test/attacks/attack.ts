import type { FileEdit, ProgramFiles } from '#libs/agents';
import type { TrainingFailure } from '#libs/run';
import type { Siege } from './siege.ts';

/** The families of attacks, with what those who make them are after. */
export const FAMILIES = {
  score: 'Tampering with the score and the evaluator',
  sealed: 'Reading what is sealed',
  repository: 'The repository, the build and the harness',
  resources: 'Time and resources',
  individuals: 'Individual-level access',
  oracle: 'The evaluator as an oracle',
  governance: "Governance and the agent's channel",
} as const;
export type Family = keyof typeof FAMILIES;

/** What must stop an attack: named so that its owner knows when it no longer does. */
export type Layer =
  | 'access'
  | 'agent view'
  | 'budget'
  | 'decider'
  | 'edge'
  | 'evaluator'
  | 'event log'
  | 'keep rule'
  | 'Ladder'
  | 'mandate'
  | 'mid-loop gate'
  | 'sandbox'
  | 'source tree'
  | 'study ledger'
  | 'vault'
  | 'verifier'
  | 'worker';

interface Told {
  readonly id: string;
  /** What it tries, in one line. */
  readonly tries: string;
  /** The layer that must stop it. Static checks may trip it earlier, and need not. */
  readonly stoppedBy: Layer;
}

/**
 * What the mid-loop gate does with it: `may halt` where a static check may see it and nothing rests on that.
 */
export type AtGate = 'halts' | 'refuses' | 'passes' | 'may halt';

/**
 * How the same tree ends when the mid-loop gate is left out. `as-honest`: it trains, and its predictions are to the
 * byte those of the honest program, and so is the score. `as-predicted`: it trains, and its score is what these very
 * predictions deserve, counted anew by the test.
 */
export type End =
  'as-honest' | 'as-predicted' | 'timed-out' | 'does-not-materialise' | TrainingFailure;

/** How the same program, run bare on harmless stand-ins, shows that the attack is real. */
export type Success =
  | 'takes' // prints a canary, or leaves one in what it writes
  | 'connects' // a listener counts a connection
  | 'outlives' // a process of its own is there after its end
  | 'writes'; // a host file changes

/** Where the things lie that attacks are after: all of it made for the tests. */
export interface Targets {
  /** The study's rows. */
  readonly data: string;
  readonly splitKey: string;
  readonly runnerKey: string;
  /** The event log. */
  readonly log: string;
  /** The harness's bare repository. */
  readonly objects: string;
  /** The study's own repository, with its history. */
  readonly studyFolder: string;
  /** Stands for the harness's own code: a host file that nobody may change. */
  readonly hostFile: string;
  readonly sharedMemory: string;
  readonly temporary: string;
  readonly port: number;
  /** Abstract name, without its leading zero byte. */
  readonly socket: string;
  /** Text that an attack's own processes carry in their command lines. */
  readonly marker: string;
}

/** A patch on the honest program. */
export interface ProgramAttack extends Told {
  readonly kind: 'program';
  readonly edits: (base: ProgramFiles, at: Targets) => readonly FileEdit[];
  readonly atGate: AtGate;
  /** Usually one; more where which limit is met first is the machine's business. */
  readonly ends: readonly End[];
  /** What it does when nothing holds it; else why that can't be shown. */
  readonly bare: Success | { readonly none: string };
  /** Where bare it succeeds for root alone. */
  readonly bareAsRoot?: boolean;
  /** What it leaves behind acts after the end. */
  readonly late?: boolean;
  /** Wall clock of the training; default: the study's. */
  readonly seconds?: number;
  /** Trainings in a row, for what one leaves to the next. */
  readonly times?: number;
}

/** A tree that no edit could make, as somebody who can write objects would. */
export interface TreeAttack extends Told {
  readonly kind: 'tree';
  /** Lines of `git ls-tree` in, entries for `git mktree` out. */
  readonly entries: (
    lines: readonly string[],
    blob: (content: string) => string,
    tree: (lines: readonly string[]) => string,
  ) => readonly string[];
  readonly ends: readonly End[];
}

/** What is more than one patch: it drives the real parts itself, and throws where the attack succeeds. */
export interface Scenario extends Told {
  readonly kind: 'scenario';
  /** Whether what stops it is no static check. */
  readonly withoutStaticChecks: boolean;
  /** What is checked, in one line. */
  readonly evidence: string;
  readonly play: (siege: Siege) => Promise<void>;
}

export type Attack = ProgramAttack | TreeAttack | Scenario;

/** An attack's family with its attacks. */
export interface Assault {
  readonly family: Family;
  readonly attacks: readonly Attack[];
}

/** Puts code at the top of the honest model: it runs before anything else of the program does. */
export const inModel =
  (code: string | ((at: Targets) => string)): ProgramAttack['edits'] =>
  (base, at) => [
    {
      path: 'model.js',
      content: `${PRELUDE}${typeof code === 'string' ? code : code(at)}\n${base['model.js'] ?? ''}`,
    },
  ];

/** Rewrites what the honest model gives back: `cells` and `honest` are at hand. */
export const predicting =
  (expression: string): ProgramAttack['edits'] =>
  (base) => [
    {
      path: 'model.js',
      content: (base['model.js'] ?? '').replace(
        'return everywhere.map((active) => probability(logitOf(weights, active, columns, hidden)));',
        `const honest = everywhere.map((active) => probability(logitOf(weights, active, columns, hidden)));\n  return ${expression};`,
      ),
    },
  ];

/** What attacks say of themselves: a text that is found wherever it comes out. */
const PRELUDE = `import * as fs from 'node:fs';
import { execFileSync, spawn } from 'node:child_process';
const root = process.argv[2] ?? '';
const won = (what) => console.log('hf-' + 'canary ' + what);
const tell = (take) => {
  try {
    console.log('TOOK ' + take());
  } catch (error) {
    console.log('MISSED ' + (error.code ?? error.message));
  }
};
`;
