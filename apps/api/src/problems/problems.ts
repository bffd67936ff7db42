import type { Refusal } from '#libs/kernel';

interface Kind {
  readonly status: number;
  readonly title: string;
}

/**
 * The one map from refusal codes to HTTP: what each is called in an answer, and its status. A code that isn't here
 * is answered as `unexpected`.
 */
export const PROBLEMS = {
  // The request itself.
  'request-invalid': { status: 400, title: 'The request is not valid' },
  'cursor-invalid': { status: 400, title: 'The cursor does not belong to this list' },
  unauthenticated: { status: 401, title: 'A valid bearer token is needed' },
  forbidden: { status: 403, title: 'This role may not do that' },
  'not-authorised': { status: 403, title: 'The mandate gives this to somebody else' },
  'project-forbidden': { status: 403, title: 'The token is for other projects' },
  'not-found': { status: 404, title: 'There is nothing here' },
  'method-not-allowed': { status: 405, title: 'This can not be done here' },
  'not-acceptable': { status: 406, title: 'It can not be given in that format' },
  'request-timeout': { status: 408, title: 'The request did not arrive in time' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'url-too-long': { status: 414, title: 'The URL is too long' },
  'content-type-unsupported': { status: 415, title: 'The body must be JSON' },
  'headers-too-large': { status: 431, title: 'The headers are too large' },
  'idempotency-key-reused': {
    status: 422,
    title: 'The idempotency key was used for something else',
  },
  'too-many-streams': { status: 429, title: 'Too many streams are open' },
  busy: { status: 503, title: 'Too much is being worked on' },
  'took-too-long': { status: 503, title: 'The answer took too long' },
  stopping: { status: 503, title: 'The server is stopping' },
  unavailable: { status: 503, title: 'Something that is needed can not be reached' },
  unexpected: { status: 500, title: 'Something unexpected happened' },

  // What isn't there, or is not to be seen.
  'study-unknown': { status: 404, title: 'No such study' },
  'run-unknown': { status: 404, title: 'No such run' },
  'unknown-run': { status: 404, title: 'No such run' },
  'finding-unknown': { status: 404, title: 'No such finding' },
  'restore-point-unknown': { status: 404, title: 'No such restore point' },
  'not-signed': { status: 404, title: 'Nobody signed the log yet' },
  'tile-unknown': { status: 404, title: 'No such tile' },
  'event-unknown': { status: 404, title: 'No such event' },

  'dead-letter-unknown': { status: 404, title: 'No such dead letter' },
  'unknown-worker': { status: 404, title: 'No such worker' },
  'person-unknown': { status: 404, title: 'No such person' },
  'text-unknown': { status: 404, title: 'No such text' },

  // What the state does not allow.
  'not-now': { status: 409, title: 'Not in this state' },
  over: { status: 409, title: 'The run is over' },
  halted: { status: 409, title: 'The run was halted' },
  'lost-race': { status: 409, title: 'Somebody else was faster' },
  'not-registered': { status: 409, title: 'The study is not registered' },
  'not-sealed': { status: 409, title: 'The notary has not signed it yet' },
  'subject-unreadable': { status: 409, title: 'Its first event can not be read' },
  'not-verified': { status: 409, title: 'The finding has no PASS' },
  'not-this-finding': { status: 409, title: 'This is another finding' },
  'other-study': { status: 409, title: 'This is another study' },
  'other-seed': { status: 409, title: 'The run was counted with another seed' },
  'other-key': { status: 409, title: 'The key id stands for another key' },
  'other-label': { status: 409, title: 'The worker has another label' },
  'other-agent': { status: 409, title: "The run is another agent's" },
  'other-request': { status: 409, title: 'The run was asked for in another way' },
  'study-registered': { status: 409, title: 'The study is registered already' },
  'no-studies-folder': { status: 409, title: 'This host has no studies' },
  'restore-point-absent': { status: 409, title: 'The log does not hold this restore point' },
  'evidence-missing': { status: 409, title: 'The log does not hold the run of the finding' },
  'export-too-large': { status: 409, title: 'The run is too long for that here' },
  'export-needs-key': { status: 409, title: 'Only who holds the key can sign that' },
  'restore-point-contradicted': {
    status: 409,
    title: 'The log contradicts its restore point',
  },

  // What was sent is understood, and can't be done.
  'bad-label': { status: 422, title: 'The label is not taken' },
  'no-reason': { status: 422, title: 'A reason is needed' },
  'folder-needed': { status: 422, title: "The study's folder is needed" },
  'study-file': { status: 422, title: 'The study file has errors' },
  'study-missing': { status: 422, title: 'No study there' },
  'data-policy': { status: 422, title: 'The data do not fit the study' },
  'not-a-repository': { status: 422, title: 'The study is in no git repository' },
  'unsupported-repository': { status: 422, title: 'The repository can not be read' },
  'unreadable-repository': { status: 422, title: 'The repository can not be read' },
  'no-commit': { status: 422, title: 'The study has no commit' },
  'dirty-work-tree': { status: 422, title: 'The study has changes that are not committed' },
  'program-missing': { status: 422, title: 'The program is not there' },
  'bad-path': { status: 422, title: 'The path is not taken' },
  'bad-edit': { status: 422, title: 'The edit does not apply' },

  // Broken or missing on the server: what exactly is the operator's to know.
  'log-unreadable': { status: 503, title: 'Something that is needed can not be reached' },
  'sandbox-missing': { status: 503, title: 'Something that is needed can not be reached' },
  'sandbox-too-old': { status: 503, title: 'Something that is needed can not be reached' },
  'sandbox-does-not-work': { status: 503, title: 'Something that is needed can not be reached' },
  'tokens-unreadable': { status: 503, title: 'Something that is needed can not be reached' },
  'tree-incomplete': { status: 503, title: 'Something that is needed can not be reached' },
  'ledger-damaged': { status: 500, title: 'The ledger is damaged' },
} as const satisfies Readonly<Record<string, Kind>>;

export type ProblemCode = keyof typeof PROBLEMS;

/** Where in the request something is wrong, and what. */
export interface InputError {
  /** JSON pointer (RFC 6901) into the body. */
  readonly pointer?: string;
  /** Name of a path or query parameter, or of a header. */
  readonly parameter?: string;
  readonly detail: string;
}

/** Problem details (RFC 9457), with two members of our own: `correlationId` and `errors`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly correlationId: string;
  readonly errors?: readonly InputError[];
}

export const problemType = (code: ProblemCode): string => `urn:holdfast:problem:${code}`;

/** Thrown at the edge alone, to leave a handler; below it refusals are values. */
export class ProblemFound extends Error {
  override readonly name = 'ProblemFound';
  readonly code: ProblemCode;
  readonly errors: readonly InputError[];
  readonly headers: Readonly<Record<string, string>>;
  /** For the log alone: why, where the answer must not say it. */
  readonly because: string | null;

  constructor(
    code: ProblemCode,
    detail: string,
    more: {
      readonly errors?: readonly InputError[];
      readonly headers?: Readonly<Record<string, string>>;
      readonly because?: string;
    } = {},
  ) {
    super(detail);
    this.code = code;
    this.errors = more.errors ?? [];
    this.headers = more.headers ?? {};
    this.because = more.because ?? null;
  }
}

export const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(PROBLEMS, code);

const TRY_AGAIN = "try again a little later; the server's log says more under this correlation id";

/** A refusal as a problem. What is broken on the server is not told to whoever asks. */
export const problemOf = (refusal: Refusal): ProblemFound => {
  const { code, message } = refusal;
  if (!isProblemCode(code))
    return new ProblemFound('unexpected', TRY_AGAIN, { because: `${code}: ${message}` });
  const { status } = PROBLEMS[code];
  if (status === 503) return new ProblemFound('unavailable', TRY_AGAIN, { because: message });
  if (status >= 500) return new ProblemFound(code, TRY_AGAIN, { because: message });
  return new ProblemFound(code, message, { errors: errorsOf(refusal) });
};

/** Refusals of files list what is wrong with them. */
const errorsOf = (refusal: Refusal): readonly InputError[] =>
  'problems' in refusal && Array.isArray(refusal.problems)
    ? (refusal.problems as readonly { readonly path: string; readonly message: string }[]).map(
        ({ path, message }) => ({
          detail: message.startsWith(path) ? message : `${path}: ${message}`,
        }),
      )
    : [];

/** Seconds after which trying again may help. */
export const RETRY_AFTER_SECONDS = 2;
