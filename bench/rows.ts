import type { AppendBench } from './append.ts';
import type { BundleBench } from './bundle.ts';
import type { IterationBench } from './iteration.ts';
import type { MerkleBench } from './merkle.ts';
import type { ReplayBench } from './replay.ts';
import type { VerifyBench } from './verify.ts';

export interface Row {
  readonly measure: string;
  readonly value: number;
  readonly unit: 'ms' | '/s' | 'MB';
  /** What the ratio is to, with its own value. */
  readonly beside: string | null;
  readonly ratio: number | null;
  readonly aim: { readonly text: string; readonly met: boolean } | null;
}

const HARNESS_MS = 50;
const OF_RAW = 0.8;
const VERIFIED_A_SECOND = 60_000;

const plain = (measure: string, value: number, unit: Row['unit']): Row => ({
  ...{ measure, value, unit },
  ...{ beside: null, ratio: null, aim: null },
});

const milliseconds = (value: number): string => `${value.toFixed(1)} ms`;
const speed = (value: number): string => `${Math.round(value).toLocaleString('en-US')}/s`;

export const iterationRows = (bench: IterationBench): readonly Row[] => [
  {
    ...plain("the harness's own time", bench.harness, 'ms'),
    beside: `an empty training in the same sandbox, ${milliseconds(bench.emptyTraining)}`,
    ratio: bench.harness / bench.emptyTraining,
    aim: { text: `under ${HARNESS_MS} ms`, met: bench.harness < HARNESS_MS },
  },
  plain('  of the slowest tenth, at least', bench.harnessP90, 'ms'),
  {
    ...plain('the whole iteration, for each of its trainings', bench.whole, 'ms'),
    beside: `the same loop as a shell script, no sandbox, ${milliseconds(bench.script)}`,
    ratio: bench.whole / bench.script,
  },
];

const appendRow = (measure: string, ours: number, raw: number, ratio: number): Row => ({
  ...plain(measure, ours, '/s'),
  beside: `raw node:sqlite, ${speed(raw)}`,
  ratio,
  aim: { text: `at least ${OF_RAW}`, met: ratio >= OF_RAW },
});

export const appendRows = (bench: AppendBench): readonly Row[] => [
  appendRow('one by one', bench.oneByOne, bench.rawOneByOne, bench.oneByOneRatio),
  {
    ...plain('  payloads unchecked', bench.uncheckedOneByOne, '/s'),
    beside: 'the same',
    ratio: bench.uncheckedOneByOneRatio,
  },
  appendRow('32 in flight', bench.grouped, bench.rawGrouped, bench.groupedRatio),
  {
    ...plain('  payloads unchecked', bench.uncheckedGrouped, '/s'),
    beside: 'the same',
    ratio: bench.uncheckedGroupedRatio,
  },
];

type Sizes<Bench> = readonly [small: Bench, large: Bench];

/** A measure at both sizes; the ratio is how its time an event grows between them. */
const growing = <Bench extends { readonly events: number }>(
  benches: Sizes<Bench>,
  measure: string,
  of: (bench: Bench) => number,
  aim: number | null = null,
): readonly Row[] => {
  const [small, large] = benches;
  const row = (bench: Bench, indent: string, name: string): Row => ({
    ...plain(`${indent}${name}`, of(bench), '/s'),
    aim: aim === null ? null : { text: `above ${speed(aim)}`, met: of(bench) > aim },
  });
  return [
    row(small, '', `${measure}, ${small.events.toLocaleString('en-US')} events`),
    {
      ...row(large, '  ', `${large.events.toLocaleString('en-US')} events`),
      beside: 'time an event, large to small (linear: 1)',
      ratio: of(small) / of(large),
    },
  ];
};

export const replayRows = (benches: Sizes<ReplayBench>): readonly Row[] => [
  ...growing(benches, 'state folded in memory', ({ evolved }) => evolved),
  ...growing(benches, 'state loaded from the log file', ({ loaded }) => loaded),
  ...growing(benches, 'all views rebuilt from the log file', ({ rebuilt }) => rebuilt),
];

const heldRow = ({ retained, events, bytesPerEvent }: VerifyBench): Row => ({
  ...plain(`memory held after ${events.toLocaleString('en-US')} events`, retained / 1e6, 'MB'),
  beside: `the events themselves, ${((events * bytesPerEvent) / 1e6).toFixed(0)} MB`,
  ratio: retained / (events * bytesPerEvent),
});

export const verifyRows = (benches: Sizes<VerifyBench>): readonly Row[] => [
  ...growing(benches, 'events: hashed, linked, every check', (b) => b.folded, VERIFIED_A_SECOND),
  ...growing(benches, 'with the signatures of all trainings', (b) => b.withSignatures),
  ...growing(benches, 'with every object read and hashed too', (b) => b.withObjects),
  heldRow(benches[1]),
];

/** Bundles from small to large: what is verified a second, and what the process held. */
export const bundleRows = (benches: readonly BundleBench[]): readonly Row[] =>
  benches.flatMap((bench): readonly Row[] => {
    const smallest = benches[0] ?? bench;
    const size = `${bench.events.toLocaleString('en-US')} events, ${bench.objects.toLocaleString('en-US')} objects`;
    return [
      {
        ...plain(`every check, of a core, ${size}`, bench.ofACore, '/s'),
        beside: 'time an event, to the smallest (linear: 1)',
        ratio: smallest.ofACore / bench.ofACore,
        aim: {
          text: `above ${speed(VERIFIED_A_SECOND)}`,
          met: bench.ofACore > VERIFIED_A_SECOND,
        },
      },
      {
        ...plain('  by the clock, signatures on other threads', bench.byTheClock, '/s'),
        beside: 'of a core',
        ratio: bench.byTheClock / bench.ofACore,
      },
      {
        ...plain('  most memory of the process', bench.peak / 1e6, 'MB'),
        beside: `the smallest's (the bundle ${(bench.bytes / 1e6).toFixed(0)} MB; before it began ${(bench.before / 1e6).toFixed(0)} MB)`,
        ratio: bench.peak / smallest.peak,
      },
    ];
  });

const MERKLE: Readonly<Record<keyof MerkleBench['ours'], string>> = {
  append: 'leaves appended, every node kept',
  prove: 'proofs of inclusion made',
  verify: '  verified',
  proveConsistency: 'proofs of consistency made, of one leaf less',
  verifyConsistency: '  verified',
};

const aSecond = (microseconds: number): number => 1e6 / microseconds;

export const merkleRows = ({ ours, tlog }: MerkleBench): readonly Row[] =>
  Object.entries(MERKLE).map(([name, measure]): Row => {
    const time = name as keyof MerkleBench['ours'];
    return {
      ...plain(measure, aSecond(ours[time]), '/s'),
      beside: tlog === null ? null : `x/mod/sumdb/tlog in Go, ${speed(aSecond(tlog[time]))}`,
      ratio: tlog === null ? null : tlog[time] / ours[time],
    };
  });
