import { refused, ok, type Result } from '#libs/kernel';
import { FILE_DOMAINS, type ChartPolicy, type HarnessPolicy } from '#libs/harness';
import { studyShape, type StudyFileContent } from './study-shape.ts';
import {
  pathText,
  readYaml,
  type Complaint,
  type Path,
  type StudyFileProblem,
} from './yaml-document.ts';

/** The study file's name in its study's folder. */
export const STUDY_FILE = 'holdfast.yaml';

/** Longest study file, in bytes of UTF-8. */
export const LONGEST_STUDY_FILE = 256 * 1024;

/** A study file that can be run. */
export interface StudyFile {
  readonly policy: HarnessPolicy;
  /** What is lawful and probably not meant. */
  readonly warnings: readonly StudyFileProblem[];
  /** A complaint about a path of the file, at its line: for what only shows outside the file. */
  readonly placed: (path: Path, complaint: Complaint) => StudyFileProblem;
}

/** One line: `holdfast.yaml:12:3 data.split: found …; expected …. What to do.` */
export const describeProblem = (problem: StudyFileProblem): string => {
  const { file, line, column, path, found, expected, remedy } = problem;
  const place = `${file}:${line}:${column}${path === '' ? '' : ` ${path}`}`;
  return `${place}: found ${found}; expected ${expected}. ${remedy}`;
};

/** Problems in the order of the file. */
export const inOrder = (problems: readonly StudyFileProblem[]): readonly StudyFileProblem[] =>
  problems.toSorted((a, b) => a.line - b.line || a.column - b.column);

const chartPolicies = ({
  gain,
  gap,
  value,
  stability,
}: StudyFileContent['charts']): readonly ChartPolicy[] => [
  ...(gain === null ? [] : [{ kind: 'gain' as const, ...chartPolicy(gain) }]),
  ...(gap === null ? [] : [{ kind: 'gap' as const, ...chartPolicy(gap) }]),
  ...(value === null ? [] : [{ kind: 'value' as const, ...chartPolicy(value) }]),
  ...(stability === null
    ? []
    : [
        {
          kind: 'stability' as const,
          allowance: stability.allowance,
          decisionInterval: stability.decision_interval,
          every: stability.every,
        },
      ]),
];

const chartPolicy = <Reference>(chart: {
  readonly reference: Reference;
  readonly allowance: number;
  readonly decision_interval: number;
}) => {
  const { reference, allowance, decision_interval: decisionInterval } = chart;
  return { reference, allowance, decisionInterval };
};

const policyOf = (content: StudyFileContent): HarnessPolicy => {
  const { program, data, training, gates } = content;
  const { pre_loop: preLoop, mid_loop: midLoop, post_loop: postLoop } = gates;
  return {
    version: 2,
    study: content.study,
    program: {
      path: program.path,
      entry: program.entry,
      runtime: program.runtime,
      mutable: program.mutable,
      protectedParameters: program.protected_parameters,
    },
    data: {
      path: data.path,
      format: data.format ?? (/\.parquet$/i.test(data.path) ? 'parquet' : 'csv'),
      rowId: data.row_id,
      identifiers: data.identifiers,
      outcome: data.outcome,
      dimensions: data.dimensions,
      planted: data.planted,
      protected: data.protected,
      split: data.split,
      minimumCell: data.minimum_cell,
    },
    objective: content.objective,
    budget: content.budget,
    training: {
      seconds: training.seconds,
      memoryMb: training.memory_mb,
      outputMb: training.output_mb,
      processes: training.processes,
    },
    replicates: content.replicates,
    keep: { falseKeeps: content.keep.false_keeps, effect: content.keep.effect },
    charts: chartPolicies(content.charts),
    gates: {
      preLoop: {
        minimumRows: preLoop.minimum_rows,
        minimumGroup: preLoop.minimum_group,
        maximumSuppression: preLoop.maximum_suppression,
      },
      midLoop: {
        maximumFiles: midLoop.maximum_files,
        maximumFileBytes: midLoop.maximum_file_bytes,
        maximumRefusals: midLoop.maximum_refusals,
      },
      postLoop: {
        threshold: postLoop.threshold,
        favourable: postLoop.favourable,
        minimumGroup: postLoop.minimum_group,
        disparateImpact: postLoop.disparate_impact,
        demographicParity: postLoop.demographic_parity,
        equalOpportunity: postLoop.equal_opportunity,
        equalizedOdds: postLoop.equalized_odds,
      },
    },
    agent: content.agent,
    governance: { acceptUngoverned: content.governance.accept_ungoverned },
  };
};

type PlacedComplaint = readonly [Path, Complaint];

/** Rows that the program could read as files would defeat the vault. */
const dataInsideProgram = ({ program, data }: StudyFileContent): readonly PlacedComplaint[] =>
  data.path.startsWith(`${program.path}/`)
    ? [
        [
          ['data', 'path'],
          {
            found: `data inside the program's folder ${program.path}`,
            expected: 'data outside it: the program never sees a row',
            remedy: 'Move the data file beside the program.',
          },
        ],
      ]
    : [];

/** A knob that leads straight into a gate is lawful (the gate halts the run), and probably not meant. */
const knobWarnings = ({ agent, program }: StudyFileContent): readonly PlacedComplaint[] => {
  const mutable = FILE_DOMAINS.flatMap((domain) => program.mutable[domain]);
  return agent.knobs.flatMap(({ file, key }, i): readonly PlacedComplaint[] => [
    ...(mutable.includes(file)
      ? []
      : [
          [
            ['agent', 'knobs', i, 'file'],
            {
              found: `${file}, which no domain owns`,
              expected: `a mutable file: ${mutable.join(', ')}`,
              remedy:
                'The mid-loop gate will halt a run that edits it: take it out, or name it there.',
            },
          ] as const,
        ]),
    ...(program.protected_parameters.includes(key)
      ? [
          [
            ['agent', 'knobs', i, 'key'],
            {
              found: `the protected parameter ${key}`,
              expected: 'a key that the agent may set',
              remedy: 'The mid-loop gate will halt a run that sets it: take it out.',
            },
          ] as const,
        ]
      : []),
  ]);
};

/** Fewer replicates and a lasting shift becomes the noise that it would be measured in, before it is seen. */
const ENOUGH_FOR_NOISE = 5;

/** Lawful, and nearly blind: docs/reference/statistics.md has the numbers. */
const noiseWarnings = ({ charts, replicates }: StudyFileContent): readonly PlacedComplaint[] => {
  const inNoise = charts.stability !== null || charts.value?.reference === 'baseline';
  return !inNoise || replicates >= ENOUGH_FOR_NOISE
    ? []
    : [
        [
          ['replicates'],
          {
            found: `${replicates} replicates for a chart in units of the noise between seeds`,
            expected: `${ENOUGH_FOR_NOISE} or more`,
            remedy: 'With fewer the chart takes most lasting shifts for noise: raise replicates.',
          },
        ],
      ];
};

/**
 * Reads a study file (YAML 1.2, at most 256 KiB) into the harness's policy, with every default filled in.
 * Refuses with all problems at once, in the order of the file; nothing is half read.
 *
 * @param fileName as the problems should name it
 * @example parseStudyFile('study: { id: pay, … }\n…', 'holdfast.yaml')
 */
export const parseStudyFile = (
  text: string,
  fileName: string,
): Result<StudyFile, readonly StudyFileProblem[]> => {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > LONGEST_STUDY_FILE) {
    const problem = {
      ...{ file: fileName, line: 1, column: 1, path: '' },
      found: `${bytes} bytes`,
      expected: `at most ${LONGEST_STUDY_FILE}`,
      remedy: 'A study file names data; it does not hold any.',
    };
    return refused([problem]);
  }
  const document = readYaml(text, fileName);
  if (!document.readable) return refused(document.problems);

  const placed = (path: Path, complaint: Complaint, at?: 'key' | 'value'): StudyFileProblem => ({
    file: fileName,
    ...document.locate(path, at),
    path: pathText(path),
    ...complaint,
  });
  const problems = [...document.problems];
  const content = studyShape(document.value, [], (...complaint) => {
    problems.push(placed(...complaint));
  });
  if (content !== undefined) problems.push(...dataInsideProgram(content).map((c) => placed(...c)));
  if (content === undefined || problems.length > 0) {
    return refused(inOrder(problems));
  }
  return ok({
    policy: policyOf(content),
    warnings: [...noiseWarnings(content), ...knobWarnings(content)].map((complaint) =>
      placed(...complaint),
    ),
    placed,
  });
};
