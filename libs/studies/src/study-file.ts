import { refused, ok, type Result } from '#libs/kernel';
import {
  FILE_DOMAINS,
  POLICY_VERSION,
  combinationCount,
  intersectionName,
  jsonOwners,
  type ChartPolicy,
  type DataPolicy,
  type HarnessPolicy,
  type IntersectionPolicy,
} from '#libs/harness';
import { screenWords } from '#libs/mandate';
import { shown } from './shape.ts';
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

/** The side that the file means, by its own word or by its label. */
const favourableOf = ({ gates, data }: StudyFileContent): 'positive' | 'negative' =>
  [data.outcome.labels.negative, 'negative'].includes(gates.post_loop.favourable)
    ? 'negative'
    : 'positive';

/** `all` is every two protected attributes, in the order of the file. */
const intersectionsOf = ({ gates, data }: StudyFileContent): readonly IntersectionPolicy[] => {
  const { intersections } = gates.post_loop;
  if (intersections !== 'all') return intersections;
  const names = data.protected.map(({ name }) => name);
  return names.flatMap((one, i) =>
    names.slice(i + 1).map((other) => ({ of: [one, other], groups: null })),
  );
};

const sourceOf = ({
  path,
  table,
  format,
}: StudyFileContent['data']): Pick<DataPolicy, 'path' | 'format'> =>
  table === null
    ? { path: path ?? '', format: format ?? (/\.parquet$/i.test(path ?? '') ? 'parquet' : 'csv') }
    : { path: table, format: 'postgres' };

const policyOf = (content: StudyFileContent): HarnessPolicy => {
  const { program, data, training, gates } = content;
  const { pre_loop: preLoop, mid_loop: midLoop, post_loop: postLoop } = gates;
  return {
    version: POLICY_VERSION,
    study: content.study,
    program: {
      path: program.path,
      entry: program.entry,
      runtime: program.runtime,
      mutable: program.mutable,
      protectedParameters: program.protected_parameters,
    },
    data: {
      ...sourceOf(data),
      rowId: data.row_id,
      identifiers: data.identifiers,
      outcome: data.outcome,
      dimensions: data.dimensions,
      coarsen: data.coarsen,
      magnitudes: data.magnitudes,
      planted: data.planted,
      protected: data.protected,
      split: data.split,
      minimumCell: data.minimum_cell,
      disclosure: {
        emptyCells: data.disclosure.empty_cells,
        minimumOutcome: data.disclosure.minimum_outcome,
        totals: data.disclosure.totals,
        tables: data.disclosure.tables,
      },
      pii: { allow: data.pii.allow.map(([column, reason]) => ({ column, reason })) },
    },
    objective: content.objective,
    budget: content.budget,
    training: {
      seconds: training.seconds,
      memoryMb: training.memory_mb,
      outputMb: training.output_mb,
      processes: training.processes,
    },
    sandbox: content.sandbox,
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
        favourable: favourableOf(content),
        minimumGroup: postLoop.minimum_group,
        decide: postLoop.decide,
        level: postLoop.level,
        intersections: intersectionsOf(content),
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
  data.path?.startsWith(`${program.path}/`) === true
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

/**
 * Texts of the file that stand in findings, in gates' messages and before agents. A finding says only what its fields
 * hold; a title or a label must not put into them what an agent may not say.
 */
const shownTexts = ({
  study,
  data,
  gates,
}: StudyFileContent): readonly (readonly [Path, string])[] => [
  [['study', 'title'], study.title],
  [['study', 'question'], study.question],
  [['data', 'outcome', 'name'], data.outcome.name],
  ...(['positive', 'negative'] as const).map(
    (side) => [['data', 'outcome', 'labels', side], data.outcome.labels[side]] as const,
  ),
  ...(['dimensions', 'protected'] as const).flatMap((kind) =>
    data[kind].flatMap(({ name, labels }) =>
      [name, ...labels].map((text) => [['data', kind, name], text] as const),
    ),
  ),
  ...data.coarsen.map(({ into }, i) => [['data', 'coarsen', i], into] as const),
  ...data.magnitudes.map(({ name }) => [['data', 'magnitudes', name], name] as const),
  ...(gates.post_loop.intersections === 'all' ? [] : gates.post_loop.intersections).flatMap(
    ({ groups }, i) =>
      (groups ?? []).map(
        ({ label }) => [['gates', 'post_loop', 'intersections', i], label] as const,
      ),
  ),
];

const mandateComplaints = (content: StudyFileContent): readonly PlacedComplaint[] =>
  shownTexts(content).flatMap(([path, text]) =>
    screenWords(text).map(({ rule, found, expected }): PlacedComplaint => [
      path,
      {
        // What shows a person's record may identify one: it is not repeated.
        found: `${rule === 'individual-records' ? 'words' : found}, which the human mandate blocks (${rule})`,
        expected,
        remedy: 'Name what was observed of cohorts: it stands in findings and before agents.',
      },
    ]),
  );

/** A group below the minimum cell is hidden in tables: a gate that passes one would tell that it is so small. */
const smallGroupComplaints = ({ gates, data }: StudyFileContent): readonly PlacedComplaint[] =>
  (['pre_loop', 'post_loop'] as const).flatMap((gate): readonly PlacedComplaint[] => {
    const { minimum_group: group } = gates[gate];
    return group >= data.minimum_cell
      ? []
      : [
          [
            ['gates', gate, 'minimum_group'],
            {
              found: String(group),
              expected: `at least data.minimum_cell, ${data.minimum_cell}`,
              remedy: `Raise gates.${gate}.minimum_group, or lower data.minimum_cell.`,
            },
          ],
        ];
  });

/** Most groups that one intersection may have: the fewer people in each, the less any interval says. */
const MOST_CROSSED_GROUPS = 200;

/** The favourable label and the intersections name what stands under data. */
const fairnessComplaints = (content: StudyFileContent): readonly PlacedComplaint[] => {
  const { gates, data } = content;
  const { favourable, intersections } = gates.post_loop;
  const path: Path = ['gates', 'post_loop'];
  const { positive, negative } = data.outcome.labels;
  const sides = [...new Set(['positive', 'negative', positive, negative])];
  const unknown: readonly PlacedComplaint[] = sides.includes(favourable)
    ? []
    : [
        [
          [...path, 'favourable'],
          {
            found: shown(favourable),
            expected: sides.map(shown).join(' or '),
            remedy: 'Name a side of the outcome, or give it this label under data.outcome.labels.',
          },
        ],
      ];
  const crossed = intersectionsOf(content);
  return [
    ...unknown,
    ...crossed.flatMap((each, i) =>
      intersectionComplaints(
        each,
        [...path, 'intersections', ...(intersections === 'all' ? [] : [i])],
        data,
        crossed.slice(0, i),
      ),
    ),
  ];
};

const intersectionComplaints = (
  intersection: IntersectionPolicy,
  place: Path,
  data: StudyFileContent['data'],
  before: readonly IntersectionPolicy[],
): readonly PlacedComplaint[] => {
  const { of, groups } = intersection;
  const complain = (found: string, expected: string, remedy: string): PlacedComplaint => [
    place,
    { found, expected, remedy },
  ];
  const named = data.protected.map(({ name }) => name);
  const adrift = of.filter((name) => !named.includes(name));
  if (adrift.length > 0)
    return [
      complain(
        adrift.join(', '),
        `protected attributes: ${named.join(', ') || 'none is declared'}`,
        'Cross what stands under data.protected.',
      ),
    ];
  const same = [...of].sort().join();
  if (before.some((other) => [...other.of].sort().join() === same))
    return [
      complain(
        `${intersectionName(intersection)} a second time`,
        'each intersection once',
        'Remove one of the two.',
      ),
    ];
  const combined = combinationCount(data.protected, of);
  const count = groups?.length ?? combined;
  if (combined > 10 * MOST_CROSSED_GROUPS || count > MOST_CROSSED_GROUPS)
    return [
      complain(
        `${count} groups of ${combined} combinations in ${intersectionName(intersection)}`,
        `at most ${MOST_CROSSED_GROUPS} groups`,
        'Use coarser attributes, or merge combinations under groups.',
      ),
    ];
  if (groups === null) return [];
  const labels = of.map((name) => data.protected.find((each) => each.name === name)?.labels ?? []);
  const held = groups.flatMap(({ combinations }) => combinations);
  const strange = held.filter(
    (parts) => parts.length !== of.length || parts.some((part, at) => !labels[at]?.includes(part)),
  );
  if (strange.length > 0)
    return [
      complain(
        strange.map((parts) => `[${parts.join(', ')}]`).join(', '),
        `one group of each of ${of.join(', ')}, in this order`,
        'Write the labels that stand under data.protected.',
      ),
    ];
  const different = new Set(held.map((parts) => JSON.stringify(parts))).size;
  return different === combined && held.length === combined
    ? []
    : [
        complain(
          `${held.length} combinations, ${different} different ones`,
          `each of the ${combined} in one group`,
          'Add what is missing, and remove what stands twice.',
        ),
      ];
};

/** A knob that leads straight into a gate is lawful (the gate halts the run), and probably not meant. */
const knobWarnings = ({ agent, program }: StudyFileContent): readonly PlacedComplaint[] => {
  const mutable = FILE_DOMAINS.flatMap((domain) => program.mutable[domain]);
  return agent.knobs.flatMap(({ file, key }, i): readonly PlacedComplaint[] => [
    ...(jsonOwners(program.mutable, file, key).length > 0
      ? []
      : [
          [
            ['agent', 'knobs', i, 'file'],
            {
              found: `${file}#${key}, which no domain owns`,
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
  if (content !== undefined)
    problems.push(
      ...[
        ...dataInsideProgram(content),
        ...smallGroupComplaints(content),
        ...fairnessComplaints(content),
        ...mandateComplaints(content),
      ].map((c) => placed(...c)),
    );
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
