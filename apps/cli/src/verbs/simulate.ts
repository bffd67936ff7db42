import { createInterface } from 'node:readline/promises';
import { charge, evolveBudget, openBudget, utilization, type Budget } from '#libs/budget';
import { midLoopGate, type FileChange, type HarnessPolicy } from '#libs/harness';
import { describeProblem, parseStudyFile } from '#libs/studies';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { jsonLine, refuse, type Output } from '../output.ts';
import { paintBar } from '../present/style.ts';
import { bar } from '../present/text.ts';
import { outputFor, type CommonOptions } from '../session.ts';
import { common, type Verb } from '../verb.ts';

/** A study that says only what it must, so that the boundary is that of the defaults. */
const STUDY = `
study: { id: simulator, title: Simulator, question: What may a mutation change? }
program:
  path: program
  entry: train.js
  mutable:
    hyperparameter: [hyperparameters.json]
    feature: [features.json]
    architecture: [architecture.json]
data:
  path: data.csv
  outcome: { name: outcome, column: outcome, positive: { equals: 'yes' } }
  dimensions: { cohort: { values: [a, b] } }
`;

/** Read when a simulation begins: reading a study costs hundreds of milliseconds, which no other verb should pay. */
const defaultPolicy = (): HarnessPolicy => {
  const study = parseStudyFile(STUDY, 'simulator');
  if (!study.ok) throw new Error(study.error.map(describeProblem).join('; '));
  return study.value.policy;
};

const edit = (path: string, text: string): readonly FileChange[] => [
  { path, kind: 'modified', before: null, after: null, mode: '100644', textBefore: null, text },
];

/** What can be tried at the boundary. The same gate and the same budget as in a run decide. */
const MOVES = {
  learning_rate: {
    say: 'hyperparameters.json: learning_rate 0.1 → 0.3',
    changes: edit('hyperparameters.json', '{"learning_rate":0.3}\n'),
  },
  feature: {
    say: 'features.json: add experience',
    changes: edit('features.json', '{"use":["education","experience"]}\n'),
  },
  architecture: {
    say: 'architecture.json: interactions none → pairs',
    changes: edit('architecture.json', '{"interactions":"pairs"}\n'),
  },
  seed: {
    say: 'hyperparameters.json: seed 1 → 7 (a protected parameter)',
    changes: edit('hyperparameters.json', '{\n  "seed": 7\n}\n'),
  },
  harness: {
    say: 'train.js: print a better metric (a fixed file)',
    changes: edit('train.js', 'console.log(0)\n'),
  },
} as const satisfies Record<string, { say: string; changes: readonly FileChange[] }>;

export type Move = keyof typeof MOVES;

interface Simulation {
  readonly policy: HarnessPolicy;
  readonly budget: Budget;
  readonly halted: boolean;
}

interface Told {
  readonly simulation: Simulation;
  readonly line: string;
}

const start = (policy: HarnessPolicy): Told => {
  const { total, costs } = policy.budget;
  return {
    simulation: { policy, budget: openBudget(total, costs), halted: false },
    line: `[ INIT ] Autonomous research loop initialized. Budget: ${total}/${total}.`,
  };
};

const step = (simulation: Simulation, move: Move): Told => {
  const { policy, budget, halted } = simulation;
  if (halted)
    return {
      simulation,
      line: '[ HALT ] The run is over; nothing resumes it. Reset to begin anew.',
    };
  const { say, changes } = MOVES[move];
  const gate = midLoopGate(policy, changes);
  const [breach] = gate.breaches;
  if (breach !== undefined)
    return {
      simulation: { policy, budget, halted: true },
      line: `[ HALT ] SYSTEM HALT: MID-LOOP GATE: ${breach.rule}: found ${breach.found}, expected ${breach.expected}. Nothing was charged.`,
    };
  if (gate.domain === null) throw new Error(`no domain owns what the move ${move} changes`);
  const outcome = charge(budget, { charge: gate.domain, description: say, paysFor: move });
  return outcome.ok
    ? {
        simulation: { policy, budget: evolveBudget(budget, outcome.value), halted },
        line: `[ PASS ] ${say}: ${gate.domain}, ${outcome.value.data.cost} charged. Budget: ${outcome.value.data.remaining}/${policy.budget.total}.`,
      }
    : {
        simulation: { policy, budget, halted: true },
        line: `[ HALT ] ${outcome.error.data.message}`,
      };
};

export const simulateVerb: Verb = (program, done) => {
  common(program.command('simulate [moves...]'))
    .description(
      'the mutation boundary in the terminal: valid mutations, the violation that halts, reset',
    )
    .addHelpText(
      'after',
      `
Moves: ${Object.keys(MOVES).join(', ')}, reset.
On a terminal without moves it asks for them; in a pipe it plays: learning_rate feature seed reset.
What a mutation costs here is the mutation alone, without its hypothesis. Nothing is written.`,
    )
    .action((moves: string[], options: CommonOptions) => done(simulate(outputFor(options), moves)));
};

const isMove = (text: string): text is Move => Object.hasOwn(MOVES, text);

const SHOWN = ['learning_rate', 'feature', 'seed', 'reset'];

const simulate = async (output: Output, given: readonly string[]): Promise<ExitCode> => {
  const policy = defaultPolicy();
  let told = start(policy);
  const tell = (): void => {
    const { budget, halted } = told.simulation;
    if (output.json) {
      jsonLine(output, { line: told.line, remaining: budget.remaining, halted });
      return;
    }
    const { paint } = output.style;
    const colour = told.line.startsWith('[ HALT')
      ? paint.red
      : told.line.startsWith('[ PASS')
        ? paint.green
        : paint.cyan;
    output.line(colour(told.line));
    output.line(
      `         ${paintBar(output.style.paint, bar(utilization(budget), 40), utilization(budget))}`,
    );
  };
  /** Whether the move was known. */
  const take = (move: string): boolean => {
    if (move === 'reset') told = start(policy);
    else if (isMove(move)) told = step(told.simulation, move);
    else return false;
    tell();
    return true;
  };

  const unknown = given.find((move) => move !== 'reset' && !isMove(move));
  if (unknown !== undefined)
    return refuse(output, {
      code: 'usage',
      message: `found the move "${unknown}", expected one of ${Object.keys(MOVES).join(', ')}, reset`,
    });
  tell();
  if (given.length > 0 || !output.live || !process.stdin.isTTY) {
    for (const move of given.length > 0 ? given : SHOWN) take(move);
    return told.simulation.halted ? EXIT.blocked : EXIT.done;
  }
  const questions = createInterface({ input: process.stdin, output: process.stdout });
  try {
    for await (const answer of ask(questions)) {
      if (!take(answer)) output.line(`moves: ${Object.keys(MOVES).join(', ')}, reset, quit`);
    }
  } finally {
    questions.close();
  }
  return EXIT.done;
};

async function* ask(questions: ReturnType<typeof createInterface>): AsyncGenerator<string> {
  questions.setPrompt('move (learning_rate, feature, architecture, seed, harness, reset, quit)> ');
  questions.prompt();
  for await (const line of questions) {
    const answer = line.trim();
    if (answer === 'quit' || answer === 'exit') return;
    if (answer !== '') yield answer;
    questions.prompt();
  }
}
