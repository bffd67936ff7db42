import { NestFactory } from '@nestjs/core';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { openHome, RunnerModule, type Home } from '#apps/runner';
import { readConfig, readServiceConfig, type NotaryConfig } from '#libs/config';
import type { ExitCode } from './exit-codes.ts';
import { openOutput, refuse, type Output } from './output.ts';

/** Options that every verb takes. */
export interface CommonOptions {
  readonly home?: string;
  readonly json?: boolean;
}

/** An opened home with its buses, in this one process: the embedded default. */
export interface Session {
  readonly home: Home;
  readonly commands: CommandBus;
  readonly queries: QueryBus;
  readonly output: Output;
  /** Redis that holds the trainings, null where they run in the runner. Never shown. */
  readonly redis: string | null;
  /** Who signs the log. Its key is never shown. */
  readonly notary: NotaryConfig;
  /** Whether the log is a file of the home, and no server's. */
  readonly isEmbedded: boolean;
}

export const outputFor = ({ json = false }: CommonOptions): Output =>
  openOutput({ json, colour: readConfig().colour });

/** Opens the home, does the verb's work, closes it. A home that can't be opened is said, not thrown. */
export const withSession = async (
  options: CommonOptions & { readonly make?: boolean },
  work: (session: Session) => Promise<ExitCode>,
): Promise<ExitCode> => {
  const output = outputFor(options);
  const servers = readServiceConfig();
  if (!servers.ok) return refuse(output, servers.error);
  const opened = await openHome({
    folder: options.home ?? readConfig().home,
    servers: servers.value,
    studiesFolder: servers.value.studies,
    dataUrl: servers.value.dataUrl,
    make: options.make ?? false,
  });
  if (!opened.ok) return refuse(output, opened.error);
  const home = opened.value;
  const app = await NestFactory.createApplicationContext(RunnerModule.on(home), {
    logger: ['error', 'fatal'],
  });
  try {
    for (const notice of home.notices) process.stderr.write(`holdfast: ${notice}\n`);
    return await work({
      home,
      commands: app.get(CommandBus),
      queries: app.get(QueryBus),
      output,
      redis: servers.value.redis,
      notary: servers.value.notary,
      isEmbedded: servers.value.eventStore === null,
    });
  } finally {
    await app.close();
    await home.close();
  }
};
