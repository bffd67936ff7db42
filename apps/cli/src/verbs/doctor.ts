import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { readServiceConfig } from '#libs/config';
import { kurrentSettings } from '#libs/event-log';
import { discoverDevices, type Device } from '#libs/executors';
import { LAYER_MEANINGS } from '#libs/harness';
import { reasonOf } from '#libs/kernel';
import { sandboxTrials, type LayerTrial, type SandboxTrials } from '#libs/sandbox';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { jsonLine, type Output } from '../output.ts';
import { doctorLines, layerLines, type DoctorRow } from '../present/doctor.ts';
import { outputFor, type CommonOptions } from '../session.ts';
import { common, type Verb } from '../verb.ts';

const NODE_NEEDED = 24;

export const doctorVerb: Verb = (program, done) => {
  common(program.command('doctor'))
    .description(
      'what this machine has: Node, git, the sandbox (by trying to break each of its layers), GPUs; what settings of the event store would shorten',
    )
    .action((options: CommonOptions) => done(doctor(outputFor(options))));
};

const doctor = async (output: Output): Promise<ExitCode> => {
  const { sandbox, layers } = await sandboxTrials();
  const before: readonly DoctorRow[] = [node(), await git(), sandboxRow(sandbox, layers)];
  const after: readonly DoctorRow[] = [await gpus(), ...(await eventStore())];
  const tried = layers.map(layerRow);
  const bad = [...before, ...tried, ...after].filter(({ ok, needed }) => needed && !ok);
  if (output.json) jsonLine(output, [...before, ...tried, ...after]);
  else {
    const { line, style } = output;
    const names = Math.max(...[...before, ...after].map(({ name }) => name.length));
    for (const text of doctorLines(style, before, names)) line(text);
    for (const text of layerLines(style, layers)) line(text);
    for (const text of doctorLines(style, after, names)) line(text);
    line();
    line(
      bad.length === 0
        ? 'This machine can run studies.'
        : `Missing: ${bad.map(({ name }) => name).join(', ')}. Nothing runs until that is there.`,
    );
  }
  return bad.length === 0 ? EXIT.done : EXIT.unreachable;
};

const sandboxRow = (
  sandbox: SandboxTrials['sandbox'],
  layers: SandboxTrials['layers'],
): DoctorRow => {
  const row = {
    name: 'sandbox',
    expected: 'bubblewrap 0.8.0 or newer that can make user namespaces',
    needed: true,
  } as const;
  if (!sandbox.ok) return { ...row, ok: false, found: sandbox.refusal.message };
  const { version, bwrap, kernel } = sandbox.facts;
  const holding = layers.filter(({ state }) => state === 'holds').length;
  return {
    ...row,
    ok: true,
    found: `bubblewrap ${version} (${bwrap}) on Linux ${kernel}; ${holding} of ${layers.length} layers held when they were tried:`,
  };
};

/** A layer that is not there, or not shown, matters to studies that demand it; one that does not hold to everybody. */
const layerRow = ({ layer, state, found, by, byDefault }: LayerTrial) => ({
  name: layer,
  ok: state === 'holds',
  found,
  expected: LAYER_MEANINGS[layer],
  needed: state === 'broken' || byDefault,
  state,
  by,
});

const node = (): DoctorRow => ({
  name: 'node',
  ok: Number(process.versions.node.split('.')[0]) >= NODE_NEEDED,
  found: process.version,
  expected: `${NODE_NEEDED} or newer: npm ci brings it, call holdfast through npx or npm run`,
  needed: true,
});

const run = promisify(execFile);

const git = async (): Promise<DoctorRow> => {
  const expected = 'git, to keep a study in (Debian: apt-get install git)';
  try {
    const { stdout } = await run('git', ['--version']);
    return { name: 'git', ok: true, found: stdout.trim(), expected, needed: true };
  } catch {
    return { name: 'git', ok: false, found: 'no git', expected, needed: true };
  }
};

/** Information only: the example's trainings need none. A driver that fails is told as what it is. */
const gpus = async (): Promise<DoctorRow> => {
  const row = { name: 'gpus', expected: 'any', needed: false } as const;
  const found = await discoverDevices();
  if (!found.ok) return { ...row, ok: false, found: found.error.message };
  const { devices, leftOut } = found.value;
  if (devices.length + leftOut.length === 0)
    return { ...row, ok: false, found: 'none (not needed)' };
  const say = ({ index, name, memoryMb, driver }: Device): string =>
    `${index}: ${name}, ${memoryMb === null ? 'memory unknown' : `${memoryMb} MiB`}, driver ${driver}`;
  return {
    ...row,
    ok: devices.length > 0,
    found: [
      ...devices.map(say),
      ...leftOut.map(({ device, why }) => `${say(device)} (left out: ${why})`),
    ].join('; '),
  };
};

/** What the server's settings would do to a stream; nothing where the log is embedded. */
const eventStore = async (): Promise<readonly DoctorRow[]> => {
  const config = readServiceConfig();
  if (!config.ok)
    return [
      {
        ...{ name: 'environment', ok: false, needed: true },
        ...{ found: config.error.message, expected: 'variables that can be read' },
      },
    ];
  const connectionString = config.value.eventStore;
  if (connectionString === null) return [];
  try {
    const settings = await kurrentSettings({ connectionString });
    return settings.map((setting) => ({
      ...setting,
      name: `event store: ${setting.name}`,
      needed: true,
    }));
  } catch (error) {
    return [
      {
        ...{ name: 'event store', ok: false, needed: true },
        found: reasonOf(error),
        expected: 'a server that answers',
      },
    ];
  }
};
