import { Option } from 'commander';
import type { Part, Service } from '#apps/service';
import { readConfig, readServiceConfig } from '#libs/config';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { refuse } from '../output.ts';
import { outputFor, type CommonOptions } from '../session.ts';
import { common, integer, type Verb } from '../verb.ts';

const PARTS: readonly Part[] = ['api', 'runner', 'worker', 'notary'];

interface ServeOptions extends CommonOptions {
  readonly only?: readonly Part[];
  readonly host?: string;
  readonly port?: number;
}

export const serveVerb: Verb = (program, done) => {
  common(program.command('serve'))
    .description(
      'run the service: API, runner, worker and notary, all in this process or some of them',
    )
    .addOption(new Option('--only <parts...>', 'only these parts (default: all)').choices(PARTS))
    .option('--host <address>', 'where the API listens (default: $HOLDFAST_HOST or 127.0.0.1)')
    .option('--port <n>', 'its port (default: $HOLDFAST_PORT or 7420)', integer)
    .addHelpText(
      'after',
      `
Embedded by default: log, views and jobs live in the home folder and in this process. HOLDFAST_EVENT_STORE,
HOLDFAST_DATABASE and HOLDFAST_REDIS name servers in their place; HOLDFAST_STUDIES the folder of the studies that may
be registered. All variables: docs/reference/environment.md.

Examples:
  holdfast token create --role researcher     a token of this machine, for the API
  holdfast serve                              everything, on http://127.0.0.1:7420
  holdfast serve --only worker                a worker; it needs HOLDFAST_REDIS and nothing else
  holdfast serve --only notary                signs the log; it needs the log and a key of its own

Prints one JSON line an event. SIGTERM or Ctrl-C: takes nothing new, finishes or hands over what is under way.
Exit codes: 0 stopped, 2 bad input, 3 something unreachable.`,
    )
    .action((options: ServeOptions) => done(start(options)));
};

const start = async (options: ServeOptions): Promise<ExitCode> => {
  const output = outputFor({ ...options, json: true });
  const config = readServiceConfig();
  if (!config.ok) return refuse(output, config.error);
  // Loaded when it is asked for: servers and tracing take a second that no other verb should wait.
  const { serve } = await import('#apps/service');
  const started = await serve({
    parts: options.only ?? PARTS,
    folder: options.home ?? readConfig().home,
    config: {
      ...config.value,
      host: options.host ?? config.value.host,
      port: options.port ?? config.value.port,
    },
  });
  return started.ok ? untilStopped(started.value) : refuse(output, started.error);
};

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Serves until a signal, or until a part fails for good. A second signal ends the process at once. */
const untilStopped = async (service: Service): Promise<ExitCode> => {
  const { promise: signalled, resolve } = Promise.withResolvers<void>();
  let signals = 0;
  const stop = (): void => {
    signals += 1;
    if (signals > 1) process.exit(EXIT.unreachable);
    resolve();
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  try {
    await Promise.race([signalled, service.failed]);
    return EXIT.done;
  } finally {
    await service.close();
    for (const signal of SIGNALS) process.off(signal, stop);
  }
};
