import { resolve } from 'node:path';

/** What the environment says of every process; the services' part is `readServiceConfig`. */
export interface Config {
  /** Folder of the log, the objects, the views and the keys: `HOLDFAST_HOME`, else `.holdfast` where you stand. */
  readonly home: string;
  /** False when `NO_COLOR` (no-color.org) is set to anything. */
  readonly colour: boolean;
  /** Whether unexpected errors are shown with their stack: `HOLDFAST_DEBUG` set to anything. */
  readonly debug: boolean;
}

/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the environment once, at the start. */
export const readConfig = (env: Environment = process.env): Config =>
  Object.freeze({
    home: resolve(
      env.HOLDFAST_HOME === undefined || env.HOLDFAST_HOME === '' ? '.holdfast' : env.HOLDFAST_HOME,
    ),
    colour: env.NO_COLOR === undefined || env.NO_COLOR === '',
    debug: env.HOLDFAST_DEBUG !== undefined && env.HOLDFAST_DEBUG !== '',
  });
