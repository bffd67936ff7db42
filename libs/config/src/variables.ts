/** A variable of the environment, as the reference shows it. */
export interface Variable {
  readonly name: string;
  readonly of: 'every command' | 'service' | 'API' | 'worker' | 'notary';
  readonly meaning: string;
  /** What holds without it. */
  readonly otherwise: string;
  /** Whether `<name>_FILE` may name a file that holds it, as container platforms hand out secrets. */
  readonly fromFile?: true;
}

/** Every variable that Holdfast reads. */
export const VARIABLES: readonly Variable[] = [
  {
    name: 'HOLDFAST_HOME',
    of: 'every command',
    meaning: 'folder of the objects and the keys; embedded, of log and views too',
    otherwise: '`.holdfast` where you stand',
  },
  {
    name: 'NO_COLOR',
    of: 'every command',
    meaning: 'set to anything: no colours (no-color.org)',
    otherwise: 'colours on a terminal',
  },
  {
    name: 'HOLDFAST_DEBUG',
    of: 'every command',
    meaning: 'set to anything: unexpected errors are shown with their stack',
    otherwise: 'their message alone',
  },
  {
    name: 'HOLDFAST_DATA_URL',
    of: 'every command',
    meaning:
      'PostgreSQL that holds the tables of studies: `postgres://user:password@host/database?sslmode=verify-full`',
    otherwise: 'studies on files only',
    fromFile: true,
  },
  {
    name: 'HOLDFAST_EVENT_STORE',
    of: 'service',
    meaning: 'EventStoreDB: `esdb://user:password@host:2113?tls=true&tlsCaFile=…`',
    otherwise: 'the log is a SQLite file in the home folder',
    fromFile: true,
  },
  {
    name: 'HOLDFAST_DATABASE',
    of: 'service',
    meaning:
      'PostgreSQL for views and leases: `postgres://user:password@host/database?sslmode=verify-full`',
    otherwise: 'SQLite files in the home folder',
    fromFile: true,
  },
  {
    name: 'HOLDFAST_REDIS',
    of: 'service',
    meaning: 'Redis for training jobs: `rediss://user:password@host:6379`',
    otherwise: 'the runner trains in its own process',
    fromFile: true,
  },
  {
    name: 'HOLDFAST_STUDIES',
    of: 'service',
    meaning: 'absolute path of the folder below which studies may be registered over HTTP',
    otherwise: 'none may',
  },
  {
    name: 'HOLDFAST_RUNS',
    of: 'service',
    meaning: 'runs that one runner drives at once, 1 to 10,000',
    otherwise: '100',
  },
  {
    name: 'HOLDFAST_LOG_LEVEL',
    of: 'service',
    meaning: '`debug`, `info`, `warn`, `error` or `silent`',
    otherwise: '`info`',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    of: 'service',
    meaning: 'OTLP over HTTP: where traces go (`/v1/traces` is added)',
    otherwise: 'no traces',
  },
  { name: 'HOLDFAST_HOST', of: 'API', meaning: 'address to listen on', otherwise: '`127.0.0.1`' },
  { name: 'HOLDFAST_PORT', of: 'API', meaning: 'port; 0: a free one', otherwise: '7420' },
  {
    name: 'HOLDFAST_TLS_CERT',
    of: 'API',
    meaning: 'certificate chain, PEM; with it the API speaks HTTPS',
    otherwise: 'plain HTTP, on loopback only',
    fromFile: true,
  },
  {
    name: 'HOLDFAST_TLS_KEY',
    of: 'API',
    meaning: 'its private key, PEM',
    otherwise: 'plain HTTP, on loopback only',
    fromFile: true,
  },
  {
    name: 'HOLDFAST_BEHIND_TLS_PROXY',
    of: 'API',
    meaning: '`true`: a proxy in front ends TLS, so plain HTTP may leave loopback',
    otherwise: 'refused: tokens would be overheard',
  },
  {
    name: 'HOLDFAST_PUBLIC_LOG',
    of: 'API',
    meaning:
      '`true`: the checkpoint and the tiles of the log are given without a token, for monitors that have none',
    otherwise: 'to those who read the ledger',
  },
  {
    name: 'HOLDFAST_OIDC_ISSUER',
    of: 'API',
    meaning: 'issuer whose tokens are taken',
    otherwise: 'only tokens made by `holdfast token`',
  },
  {
    name: 'HOLDFAST_OIDC_AUDIENCE',
    of: 'API',
    meaning: 'the audience that a token must name',
    otherwise: 'needed with an issuer',
  },
  {
    name: 'HOLDFAST_OIDC_JWKS',
    of: 'API',
    meaning: "address of the issuer's keys",
    otherwise: "from the issuer's discovery document",
  },
  {
    name: 'HOLDFAST_OIDC_ROLE_CLAIM',
    of: 'API',
    meaning: 'claim that holds the role; a dot goes one level down',
    otherwise: '`holdfast_role`',
  },
  {
    name: 'HOLDFAST_OIDC_PROJECTS_CLAIM',
    of: 'API',
    meaning: 'claim that lists the projects',
    otherwise: '`holdfast_projects`',
  },
  {
    name: 'HOLDFAST_EXECUTOR',
    of: 'worker',
    meaning: '`sandbox` (this host, bubblewrap), `docker` or `kubernetes`',
    otherwise: '`sandbox`',
  },
  {
    name: 'HOLDFAST_TRAINING_IMAGE',
    of: 'worker',
    meaning:
      '`name@sha256:…` that trainings run in; set alike for runners, which pin it, and workers',
    otherwise: "Node of Holdfast's own installation, by its digest",
  },
  {
    name: 'HOLDFAST_WORKER_LABEL',
    of: 'worker',
    meaning: 'what people call this host',
    otherwise: '`worker`',
  },
  {
    name: 'HOLDFAST_WORKER_CONCURRENCY',
    of: 'worker',
    meaning: 'trainings at once on a host without GPUs, 1 to 256; with GPUs it is one a GPU',
    otherwise: '1',
  },
  {
    name: 'HOLDFAST_TRAININGS_PER_MINUTE',
    of: 'worker',
    meaning: 'trainings that all workers together may start a minute; 0: no limit',
    otherwise: 'no limit',
  },
  {
    name: 'HOLDFAST_DOCKER_SOCKET',
    of: 'worker',
    meaning: "Docker Engine's socket; whoever has it is root on that host",
    otherwise: '`/var/run/docker.sock`',
  },
  {
    name: 'HOLDFAST_KUBERNETES_NAMESPACE',
    of: 'worker',
    meaning: 'namespace of the Jobs',
    otherwise: '`holdfast-trainings`',
  },
  {
    name: 'HOLDFAST_KUBERNETES_CLAIM',
    of: 'worker',
    meaning: 'PersistentVolumeClaim that worker and Jobs share',
    otherwise: '`holdfast-trainings`',
  },
  {
    name: 'HOLDFAST_KUBERNETES_MOUNT',
    of: 'worker',
    meaning: 'where the worker has that volume',
    otherwise: '`/trainings`',
  },
  {
    name: 'HOLDFAST_NOTARY_KEY',
    of: 'notary',
    meaning: 'the key that signs the log: Ed25519, PKCS8 PEM',
    otherwise: '`notary.pem` in the keys of the home, made at first use',
    fromFile: true,
  },
  {
    name: 'HOLDFAST_LOG_ORIGIN',
    of: 'notary',
    meaning:
      "the log's name in its checkpoints, without spaces and plus signs; fixed with the first one",
    otherwise: '`holdfast/` and the id of the first key',
  },
  {
    name: 'HOLDFAST_NOTARY_INTERVAL',
    of: 'notary',
    meaning:
      'seconds after which a log that grew is signed again, 1 to 86,400; at the end of a run at once',
    otherwise: '60',
  },
  {
    name: 'HOLDFAST_ANCHOR_REMOTE',
    of: 'notary',
    meaning:
      'git remote that each checkpoint is pushed to as an annotated tag: `https://user:token@host/repository.git`, or the path of a bare repository',
    otherwise: 'none',
    fromFile: true,
  },
  {
    name: 'HOLDFAST_WITNESSES',
    of: 'notary',
    meaning: 'C2SP witnesses, separated by commas: of each its address, a space and its vkey',
    otherwise: 'none',
  },
  {
    name: 'HOLDFAST_TIMESTAMP_AUTHORITIES',
    of: 'notary',
    meaning:
      'RFC 3161 authorities, separated by commas: of each its address, a space and a PEM file of the certificates that its chain ends in',
    otherwise: 'none',
  },
];
