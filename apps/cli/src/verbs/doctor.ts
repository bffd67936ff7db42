import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { readServiceConfig } from '#libs/config';
import { kurrentSettings } from '#libs/event-log';
import { discoverDevices, type Device } from '#libs/executors';
import { sandboxChecks } from '#libs/sandbox';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { jsonLine, type Output } from '../output.ts';
import { outputFor, type CommonOptions } from '../session.ts';
import { common, type Verb } from '../verb.ts';

interface Row {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
  readonly expected: string;
  /** Without it nothing runs; else it is for information. */
  readonly needed: boolean;
}

const NODE_NEEDED = 24;

export const doctorVerb: Verb = (program, done) => {
  common(program.command('doctor'))
    .description(
      'what this machine has: Node, git, the sandbox (by trying to break it), GPUs; what settings of the event store would shorten',
    )
    .action((options: CommonOptions) => done(doctor(outputFor(options))));
};

const doctor = async (output: Output): Promise<ExitCode> => {
  const sandbox = (await sandboxChecks()).map((check) => ({ ...check, needed: true }));
  const rows: readonly Row[] = [
    node(),
    await git(),
    ...sandbox,
    await gpus(),
    ...(await eventStore()),
  ];
  const bad = rows.filter(({ ok, needed }) => needed && !ok);
  if (output.json) jsonLine(output, rows);
  else {
    const { line, style } = output;
    const width = Math.max(...rows.map(({ name }) => name.length));
    for (const { name, ok, found, expected, needed } of rows) {
      const sign = ok
        ? style.paint.green('✓')
        : needed
          ? style.paint.red('✗')
          : style.paint.dim('·');
      line(`${sign} ${name.padEnd(width)}  ${found}`);
      if (!ok && needed) line(style.paint.dim(`  ${' '.repeat(width)}  expected ${expected}`));
    }
    line();
    line(
      bad.length === 0
        ? 'This machine can run studies.'
        : `Missing: ${bad.map(({ name }) => name).join(', ')}. Nothing runs until that is there.`,
    );
  }
  return bad.length === 0 ? EXIT.done : EXIT.unreachable;
};

const node = (): Row => ({
  name: 'node',
  ok: Number(process.versions.node.split('.')[0]) >= NODE_NEEDED,
  found: process.version,
  expected: `${NODE_NEEDED} or newer: npm ci brings it, call holdfast through npx or npm run`,
  needed: true,
});

const run = promisify(execFile);

const git = async (): Promise<Row> => {
  const expected = 'git, to keep a study in (Debian: apt-get install git)';
  try {
    const { stdout } = await run('git', ['--version']);
    return { name: 'git', ok: true, found: stdout.trim(), expected, needed: true };
  } catch {
    return { name: 'git', ok: false, found: 'no git', expected, needed: true };
  }
};

/** Information only: the example's trainings need none. A driver that fails is told as what it is. */
const gpus = async (): Promise<Row> => {
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
const eventStore = async (): Promise<readonly Row[]> => {
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
        found: error instanceof Error ? error.message : String(error),
        expected: 'a server that answers',
      },
    ];
  }
};
