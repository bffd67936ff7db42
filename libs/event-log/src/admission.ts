import { ok, refused, ROLES, type NewEvent, type Refusal, type Result } from '#libs/kernel';
import type { EventTypes } from './event-types.ts';
import { MAX_EVENT_BYTES, unchained, type UnchainedEvent } from './hash-chain.ts';
import { jsonProblems, memberPath, type Problem } from './json-problems.ts';
import type { ExpectedRevision } from './port.ts';

/** The most events that one append may hold. */
export const MAX_BATCH = 1000;

/** Problems beyond these are counted, not listed. */
const MAX_LISTED = 100;

/** A batch that may be written, if its stream stands where it expects it. */
export interface AdmittedBatch {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly UnchainedEvent[];
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** No blanks, no control characters, at most 255; `$` at the start belongs to EventStoreDB's own streams. */
const STREAM = /^[^\s$\p{C}][^\s\p{C}]{0,254}$/u;

const ENVELOPE = ['id', 'type', 'data', 'metadata'];
const METADATA = ['correlationId', 'causationId', 'actor', 'time', 'schemaVersion'];
const ACTOR = ['role', 'id'];
const ACTORS: ReadonlySet<unknown> = new Set([...ROLES, 'harness']);
const ACTOR_RULE = `must be one of ${[...ACTORS].join(', ')}`;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isName = (value: unknown): value is string => typeof value === 'string' && value !== '';

const isTime = (value: unknown): boolean =>
  typeof value === 'string' && TIME.test(value) && !Number.isNaN(Date.parse(value));

/** The envelope's own shape, checked at run time: callers may hold what the compiler never saw. */
const envelopeProblems = (event: unknown, root: string): readonly Problem[] => {
  if (!isRecord(event)) return [{ path: root, message: 'must be an event' }];
  const problems: Problem[] = [];
  const check = (good: boolean, member: string, message: string) => {
    if (!good) problems.push({ path: `${root}${member}`, message });
  };
  const checkMembers = (
    found: Record<string, unknown>,
    known: readonly string[],
    member: string,
  ) => {
    for (const key of Object.keys(found)) {
      if (!known.includes(key)) check(false, memberPath(member, key), 'does not belong here');
    }
  };
  checkMembers(event, ENVELOPE, '');
  check(
    typeof event['id'] === 'string' && UUID.test(event['id']),
    '.id',
    'must be a UUID in lower case; derive it from the command with eventId',
  );
  check(isName(event['type']), '.type', 'must be the name of an event type');
  check('data' in event, '.data', 'is missing');
  const metadata = event['metadata'];
  if (!isRecord(metadata)) {
    check(false, '.metadata', 'must be an object');
    return problems;
  }
  checkMembers(metadata, METADATA, '.metadata');
  check(isName(metadata['correlationId']), '.metadata.correlationId', 'must be a text');
  check(isName(metadata['causationId']), '.metadata.causationId', 'must be a text');
  check(isTime(metadata['time']), '.metadata.time', 'must be RFC 3339, UTC, with milliseconds');
  check(
    Number.isInteger(metadata['schemaVersion']),
    '.metadata.schemaVersion',
    'must be a whole number',
  );
  const actor = metadata['actor'];
  if (!isRecord(actor)) {
    check(false, '.metadata.actor', 'must be an object');
    return problems;
  }
  checkMembers(actor, ACTOR, '.metadata.actor');
  check(isName(actor['id']), '.metadata.actor.id', 'must be a text');
  check(ACTORS.has(actor['role']), '.metadata.actor.role', ACTOR_RULE);
  return problems;
};

const eventProblems = (types: EventTypes, event: NewEvent, root: string): readonly Problem[] => {
  const unsayable = jsonProblems(event, root);
  if (unsayable.length > 0) return unsayable;
  const misshapen = envelopeProblems(event, root);
  return misshapen.length > 0 ? misshapen : types.problems(event, root);
};

const sizeOf = ({ beforePrev, afterPrev }: UnchainedEvent): number =>
  Buffer.byteLength(beforePrev) + 66 + Buffer.byteLength(afterPrev);

const invalid = (problems: readonly Problem[]): Refusal<'invalid-event'> => {
  const listed = problems.slice(0, MAX_LISTED).map(({ path, message }) => `${path} ${message}`);
  const more = problems.length - listed.length;
  return {
    code: 'invalid-event',
    message:
      `nothing was written; ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}: ` +
      listed.join('; ') +
      (more > 0 ? `; and ${more} more` : ''),
  };
};

/** The door: a batch in its canonical form, or every problem of every event in it. */
export const admit = (
  types: EventTypes,
  stream: string,
  expected: ExpectedRevision,
  events: readonly NewEvent[],
): Result<AdmittedBatch, Refusal<'invalid-event'>> => {
  const problems: Problem[] = [];
  if (typeof stream !== 'string' || !STREAM.test(stream)) {
    problems.push({
      path: 'stream',
      message: `is ${JSON.stringify(stream)}; a stream's name has 1 to 255 characters, no blanks, no $ in front`,
    });
  }
  if (expected !== 'no-stream' && !(Number.isSafeInteger(expected) && expected >= 0)) {
    problems.push({
      path: 'expected',
      message: `is ${String(expected)}; it must be a revision from 0 or 'no-stream'`,
    });
  }
  if (events.length > MAX_BATCH) {
    problems.push({
      path: 'events',
      message: `holds ${events.length} events; an append takes ${MAX_BATCH}`,
    });
    return refused(invalid(problems));
  }
  const placeable = problems.length === 0;
  const first = expected === 'no-stream' ? 0 : expected + 1;
  const admitted: UnchainedEvent[] = [];
  events.forEach((event, index) => {
    const found = eventProblems(types, event, `events[${index}]`);
    problems.push(...found);
    if (found.length > 0 || !placeable) return;
    const next = unchained(stream, first + index, event);
    const bytes = sizeOf(next);
    if (bytes > MAX_EVENT_BYTES) {
      problems.push({
        path: `events[${index}]`,
        message: `takes ${bytes} bytes; an event takes ${MAX_EVENT_BYTES} at most: store large content as a blob and name its digest`,
      });
    }
    admitted.push(next);
  });
  return problems.length > 0
    ? refused(invalid(problems))
    : ok({ stream, expected, events: admitted });
};
