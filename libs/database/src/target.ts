import { Client } from 'pg';

/** Where tables are kept: a file of this machine, or a PostgreSQL server (tried with 15). */
export type DatabaseTarget =
  | { readonly kind: 'sqlite'; readonly path: string }
  | {
      readonly kind: 'postgres';
      /** `postgres://user:password@host:port/database`; TLS by its `sslmode`, `sslrootcert` and so on. */
      readonly connectionString: string;
    };

/**
 * How messages name a target; a password is left out. Throws when the connection string is none: what it says
 * does not repeat the string, which may hold a password.
 */
export const placeOf = (target: DatabaseTarget): string => {
  if (target.kind === 'sqlite') return `the SQLite file ${target.path}`;
  const { host, port, database } = read(target.connectionString);
  return `PostgreSQL at ${host}:${port}, database ${database}`;
};

const EXPECTED =
  'expected postgres://user:password@host:port/database, with special characters of the password percent-encoded';

const read = (connectionString: string): { host: string; port: number; database: string } => {
  if (!/^postgres(ql)?:\/\//.test(connectionString)) {
    throw new Error(`The connection string is not one of PostgreSQL: ${EXPECTED}.`);
  }
  try {
    // Parsed as it will be used; nothing connects yet.
    const { host, port, database } = new Client({ connectionString });
    return { host, port, database: database ?? '(the default)' };
  } catch {
    throw new Error(`The connection string cannot be read: ${EXPECTED}.`);
  }
};
