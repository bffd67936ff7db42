import { readFileSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import type { Environment } from './config.ts';

/** Who vouches for people's and agents' tokens. */
export interface OidcConfig {
  readonly issuer: string;
  readonly audience: string;
  /** Address of the keys; null: as the issuer's discovery document says. */
  readonly jwks: string | null;
  /** Claims that hold the role and the projects; a dot goes one level down. */
  readonly roleClaim: string;
  readonly projectsClaim: string;
}

/**
 * The components and knobs of a service. What is null is embedded: the log, the views and the queue then live in the
 * home folder and in the process itself.
 */
export interface ServiceConfig {
  /** EventStoreDB connection string, credentials and all: never shown. */
  readonly eventStore: string | null;
  /** PostgreSQL connection string: never shown. */
  readonly database: string | null;
  /** PostgreSQL that holds the tables of studies, not Holdfast's own: never shown. */
  readonly dataUrl: string | null;
  /** Redis address: never shown. */
  readonly redis: string | null;
  /** Folder that holds the studies which may be registered over HTTP; null: none. Absolute. */
  readonly studies: string | null;
  /** Where the API listens. */
  readonly host: string;
  readonly port: number;
  /** The API's own certificate and key, as PEM; null: plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** Whether a proxy in front ends TLS, so that plain HTTP may be spoken beyond this machine. */
  readonly behindTlsProxy: boolean;
  /** Whether the API gives the log's checkpoint and tiles without a token. */
  readonly publicLog: boolean;
  readonly oidc: OidcConfig | null;
  /** OTLP address for traces (the standard variable); null: none are kept. */
  readonly traces: string | null;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** Runs that one runner drives at once. */
  readonly runs: number;
  readonly worker: WorkerConfig;
  readonly notary: NotaryConfig;
}

/** Who signs the log, how often, and who else is given what was signed. */
export interface NotaryConfig {
  /** PKCS8 PEM of an Ed25519 key: never shown. Null: the file notary.pem in the home's keys. */
  readonly key: string | null;
  /** The log's name among all logs; null: one made of the first key. */
  readonly origin: string | null;
  readonly intervalMs: number;
  /** Git remote that checkpoints are pushed to as tags, credentials and all: never shown as it is. */
  readonly remote: string | null;
  /** C2SP witnesses, each with the vkey that its cosignatures are verified with. */
  readonly witnesses: readonly { readonly url: string; readonly verifierKey: string }[];
  /** RFC 3161 authorities, each with the PEM file of the certificates that its chain ends in. */
  readonly timestampAuthorities: readonly { readonly url: string; readonly caFile: string }[];
}

export interface WorkerConfig {
  /** How programs run: contained on this host, in Docker, or as Kubernetes Jobs. */
  readonly executor: (typeof EXECUTORS)[number];
  /** `name@sha256:…`; of the containers that trainings run in. Null with the local sandbox. */
  readonly image: string | null;
  /** What people call this host: shown, never a secret. */
  readonly label: string;
  /** Trainings at once where there is no GPU; with GPUs it is one a GPU. */
  readonly concurrency: number;
  /** Trainings that all workers together may start a minute; null: as many as they can. */
  readonly perMinute: number | null;
  /** Docker Engine's socket. */
  readonly dockerSocket: string;
  /** Kubernetes: namespace, claim of the shared volume, and where this worker has it mounted. */
  readonly kubernetes: {
    readonly namespace: string;
    readonly claim: string;
    readonly mount: string;
  };
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
const EXECUTORS = ['sandbox', 'docker', 'kubernetes'] as const;
const IMAGE = /^[a-z0-9][a-z0-9._/:-]*@sha256:[0-9a-f]{64}$/;

/** Every problem of the environment at once, as one refusal. Values of secrets are never said. */
export const readServiceConfig = (
  env: Environment = process.env,
): Result<ServiceConfig, Refusal<'environment'>> => {
  const problems: string[] = [];
  const problem = (name: string, found: string, expected: string): null => {
    problems.push(`${name}: found ${found}, expected ${expected}`);
    return null;
  };
  const text = (name: string): string | null => {
    const value = env[name];
    return value === undefined || value === '' ? null : value;
  };
  /** A secret from its variable, or from the file that `<name>_FILE` names, as container platforms hand them out. */
  const secret = (name: string): string | null => {
    const [value, file] = [text(name), text(`${name}_FILE`)];
    if (value !== null && file !== null)
      return problem(name, `both ${name} and ${name}_FILE`, 'one of them');
    if (file === null) return value;
    try {
      const content = readFileSync(file, 'utf8').trim();
      return content === ''
        ? problem(`${name}_FILE`, 'an empty file', 'a file that holds it')
        : content;
    } catch (error) {
      return problem(`${name}_FILE`, (error as Error).message, 'a file that can be read');
    }
  };
  const address = (name: string, schemes: readonly string[], value: string | null) => {
    if (value === null) return null;
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(value)?.[1];
    return scheme !== undefined && schemes.includes(scheme)
      ? value
      : problem(
          name,
          scheme === undefined ? 'no address' : `the scheme ${scheme}`,
          `an address that starts with ${schemes.map((each) => `${each}://`).join(' or ')}`,
        );
  };
  const whole = (name: string, least: number, most: number, otherwise: number): number => {
    const value = text(name);
    if (value === null) return otherwise;
    const number = Number(value);
    if (Number.isSafeInteger(number) && number >= least && number <= most) return number;
    problem(name, JSON.stringify(value), `a whole number from ${least} to ${most}`);
    return otherwise;
  };
  /** Weakens something when it is on, so that what is neither yes nor no is refused. */
  const flag = (name: string): boolean => {
    const value = text(name)?.toLowerCase() ?? 'false';
    if (['true', '1'].includes(value)) return true;
    if (!['false', '0'].includes(value)) problem(name, JSON.stringify(value), 'true or false');
    return false;
  };
  const oneOf = <T extends string>(name: string, values: readonly T[], otherwise: T): T => {
    const value = text(name);
    if (value === null) return otherwise;
    const found = values.find((each) => each === value);
    if (found !== undefined) return found;
    problem(name, JSON.stringify(value), `one of ${values.join(', ')}`);
    return otherwise;
  };

  const oidc = (): OidcConfig | null => {
    const [issuer, audience] = [text('HOLDFAST_OIDC_ISSUER'), text('HOLDFAST_OIDC_AUDIENCE')];
    if (issuer === null && audience === null) return null;
    if (issuer === null || audience === null)
      return problem(
        'HOLDFAST_OIDC_ISSUER and HOLDFAST_OIDC_AUDIENCE',
        'one without the other',
        'both: a token for somebody else must not open this door',
      );
    return {
      issuer: address('HOLDFAST_OIDC_ISSUER', ['https', 'http'], issuer) ?? issuer,
      audience,
      jwks: address('HOLDFAST_OIDC_JWKS', ['https', 'http'], text('HOLDFAST_OIDC_JWKS')),
      roleClaim: text('HOLDFAST_OIDC_ROLE_CLAIM') ?? 'holdfast_role',
      projectsClaim: text('HOLDFAST_OIDC_PROJECTS_CLAIM') ?? 'holdfast_projects',
    };
  };
  const tls = (): ServiceConfig['tls'] => {
    const [cert, key] = [secret('HOLDFAST_TLS_CERT'), secret('HOLDFAST_TLS_KEY')];
    if (cert === null && key === null) return null;
    return cert === null || key === null
      ? problem('HOLDFAST_TLS_CERT and HOLDFAST_TLS_KEY', 'one without the other', 'both, as PEM')
      : { cert, key };
  };
  const studies = (): string | null => {
    const folder = text('HOLDFAST_STUDIES');
    if (folder === null) return null;
    return isAbsolute(folder)
      ? resolve(folder)
      : problem('HOLDFAST_STUDIES', folder, 'an absolute path');
  };
  const worker = (): WorkerConfig => {
    const executor = oneOf('HOLDFAST_EXECUTOR', EXECUTORS, 'sandbox');
    const image = text('HOLDFAST_TRAINING_IMAGE');
    if (image !== null && !IMAGE.test(image))
      problem(
        'HOLDFAST_TRAINING_IMAGE',
        JSON.stringify(image),
        'an image by its digest: name@sha256:…',
      );
    if (executor !== 'sandbox' && image === null)
      problem('HOLDFAST_TRAINING_IMAGE', 'nothing', `an image for the executor ${executor}`);
    const perMinute = whole('HOLDFAST_TRAININGS_PER_MINUTE', 0, 100_000, 0);
    return {
      executor,
      image,
      label: text('HOLDFAST_WORKER_LABEL') ?? 'worker',
      concurrency: whole('HOLDFAST_WORKER_CONCURRENCY', 1, 256, 1),
      perMinute: perMinute === 0 ? null : perMinute,
      dockerSocket: text('HOLDFAST_DOCKER_SOCKET') ?? '/var/run/docker.sock',
      kubernetes: {
        namespace: text('HOLDFAST_KUBERNETES_NAMESPACE') ?? 'holdfast-trainings',
        claim: text('HOLDFAST_KUBERNETES_CLAIM') ?? 'holdfast-trainings',
        mount: text('HOLDFAST_KUBERNETES_MOUNT') ?? '/trainings',
      },
    };
  };

  /** Pairs of an address and what it is trusted by, separated by commas or new lines. */
  const pairs = (name: string, second: string): readonly (readonly [string, string])[] =>
    (text(name) ?? '')
      .split(/[,\n]/)
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '')
      .map((entry, at) => {
        const [url = '', trusted = '', ...more] = entry.split(/\s+/);
        const parsed = /^https?:\/\//.test(url) ? URL.parse(url) : null;
        // It names in the log who holds what, and stands in messages: it must hold no secret.
        if (parsed !== null && (parsed.username !== '' || parsed.password !== ''))
          problem(name, 'an address with a user or a password', 'one without: it is shown');
        // What is no address is not shown: it may be one that was misspelled, with a password.
        else if (parsed === null || trusted === '' || more.length > 0)
          problem(name, `something else as entry ${at + 1}`, `an http(s) address and ${second}`);
        return [url.replace(/\/+$/, ''), trusted] as const;
      });
  const MINUTE_SECONDS = 60;
  const DAY_SECONDS = 86_400;
  const notary = (): NotaryConfig => {
    const origin = text('HOLDFAST_LOG_ORIGIN');
    if (origin !== null && !/^[^\s+]{1,200}$/.test(origin))
      problem(
        'HOLDFAST_LOG_ORIGIN',
        JSON.stringify(origin.slice(0, 80)),
        'a name without spaces and plus signs',
      );
    return {
      key: secret('HOLDFAST_NOTARY_KEY'),
      origin,
      intervalMs: whole('HOLDFAST_NOTARY_INTERVAL', 1, DAY_SECONDS, MINUTE_SECONDS) * 1000,
      remote: secret('HOLDFAST_ANCHOR_REMOTE'),
      witnesses: pairs('HOLDFAST_WITNESSES', 'a vkey').map(([url, verifierKey]) => ({
        url,
        verifierKey,
      })),
      timestampAuthorities: pairs('HOLDFAST_TIMESTAMP_AUTHORITIES', 'a file of certificates').map(
        ([url, caFile]) => ({ url, caFile }),
      ),
    };
  };

  const config: ServiceConfig = {
    eventStore: address(
      'HOLDFAST_EVENT_STORE',
      ['esdb', 'esdb+discover', 'kurrentdb', 'kurrentdb+discover'],
      secret('HOLDFAST_EVENT_STORE'),
    ),
    database: address('HOLDFAST_DATABASE', ['postgres', 'postgresql'], secret('HOLDFAST_DATABASE')),
    dataUrl: address('HOLDFAST_DATA_URL', ['postgres', 'postgresql'], secret('HOLDFAST_DATA_URL')),
    redis: address('HOLDFAST_REDIS', ['redis', 'rediss'], secret('HOLDFAST_REDIS')),
    studies: studies(),
    host: text('HOLDFAST_HOST') ?? '127.0.0.1',
    port: whole('HOLDFAST_PORT', 0, 65_535, 7420),
    tls: tls(),
    behindTlsProxy: flag('HOLDFAST_BEHIND_TLS_PROXY'),
    publicLog: flag('HOLDFAST_PUBLIC_LOG'),
    oidc: oidc(),
    traces: address(
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      ['https', 'http'],
      text('OTEL_EXPORTER_OTLP_ENDPOINT'),
    ),
    logLevel: oneOf('HOLDFAST_LOG_LEVEL', LOG_LEVELS, 'info'),
    runs: whole('HOLDFAST_RUNS', 1, 10_000, 100),
    worker: worker(),
    notary: notary(),
  };
  return problems.length === 0
    ? ok(Object.freeze(config))
    : refused({
        code: 'environment',
        message: `the environment has ${problems.length === 1 ? 'an error' : `${problems.length} errors`}; nothing was started: ${problems.join('; ')}`,
      });
};
