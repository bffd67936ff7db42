import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeStored } from '#libs/event-log';
import { deriveId, eventId, type RecordedEvent } from '#libs/kernel';
import { NOT_SHOWN } from '#libs/run';
import { storedEvents } from '../../payloads/src/testing/golden.ts';
import { judgeAppend, remember, startOf } from './judge.ts';
import type { JudgedEvent } from './reading.ts';
import {
  appendsOf,
  otherAppends,
  types,
  written,
  writtenData,
  type Append,
} from './testing/enveloped.ts';

const RUN = 'run-pay-1';

/** A run that really ran. */
const EVENTS: readonly RecordedEvent[] = storedEvents('v2-pay.jsonl')
  .map((event) => decodeStored(event, types))
  .filter(({ stream }) => stream === RUN);
const APPENDS = appendsOf(RUN, EVENTS);

const appendOf = (type: string, nth = 0): Append => {
  const found = APPENDS.filter(({ events }) => events.some((event) => event.type === type))[nth];
  if (found === undefined) throw new Error(`no append holds ${type}`);
  return found;
};

type Change = (event: RecordedEvent, at: number) => Partial<RecordedEvent> | null;

/** The append as somebody with access writes it: changed, or without an event, hashed and linked. */
const forged = ({ before, events }: Append, change: Change): readonly RecordedEvent[] => {
  const first = (before.head?.revision ?? -1) + 1;
  return written(
    before.head?.hash ?? null,
    events
      .flatMap((event, at) => {
        const changed = change(event, at);
        return changed === null ? [] : [{ ...event, data: writtenData(event), ...changed }];
      })
      .map((event, at) => ({ ...event, revision: first + at })),
  );
};

const problemOf = (append: Append, change: Change): string | null =>
  judgeAppend(append.before, forged(append, change)).problem;

const metadata =
  (change: Partial<RecordedEvent['metadata']>): Change =>
  (event) => ({ metadata: { ...event.metadata, ...change } });

describe('an append', () => {
  const charged = appendOf('BudgetCharged');

  it('that was decided is taken, and moves the stream', () => {
    const { before, events } = charged;
    const { state, problem } = judgeAppend(before, events);
    expect(problem).toBeNull();
    expect(state.head).toMatchObject({ revision: events.at(-1)?.revision });
  });

  it('with another charge names the place, the command, what was found and what was expected', () => {
    const change: Change = ({ type, data }) =>
      type === 'BudgetCharged' ? { data: { ...(data as object), cost: 1 } } : {};
    expect(problemOf(charged, change)).toBe(
      'run-pay-1@13 (BudgetCharged): found data.cost 1, expected 5, as ProposeHypothesis decides',
    );
  });

  it('that lacks its charge, or an event at its beginning, is refused', () => {
    expect(problemOf(charged, ({ type }) => (type === 'BudgetCharged' ? null : {}))).toBe(
      'run-pay-1@13: found nothing, expected BudgetCharged, as ProposeHypothesis decides',
    );
    expect(problemOf(charged, (_, at) => (at === 0 ? null : {}))).toContain(
      'found an append that begins so',
    );
  });

  it('that was made twice is refused: nothing is due twice', () => {
    const judged = judgeAppend(charged.before, charged.events);
    const again = forged({ ...charged, before: judged.state }, () => ({}));
    expect(judgeAppend(judged.state, again).problem).not.toBeNull();
  });

  it("from somebody who may not, under another's name, or of several senders is refused", () => {
    const kept = appendOf('MutationKept');
    const harness = { role: 'harness', id: 'harness' } as const;
    expect(problemOf(charged, metadata({ actor: harness }))).toContain(
      'found ProposeHypothesis from harness, expected it from agent',
    );
    expect(problemOf(kept, metadata({ actor: { role: 'agent', id: 'search' } }))).toContain(
      'found Judge from agent, expected it from harness',
    );
    const mixed: Change = (event, at) =>
      at === 0 ? {} : { metadata: { ...event.metadata, actor: { role: 'agent', id: 'other' } } };
    expect(problemOf(charged, mixed)).toContain('metadata.actor.id other, expected search');
  });

  it('of another correlation, cause or version is refused', () => {
    expect(problemOf(charged, metadata({ correlationId: 'pay-2' }))).toContain('correlationId');
    const kept = appendOf('MutationKept');
    expect(problemOf(kept, metadata({ causationId: deriveId('cause') }))).toContain('causationId');
    const read = forged(charged, () => ({}));
    const newer = read.map((event) => ({
      ...event,
      metadata: { ...event.metadata, schemaVersion: 3 },
    }));
    expect(judgeAppend(charged.before, newer).problem).toContain('schemaVersion 3, expected 1');
  });

  it('of the harness with other ids is refused, at its first event and at every other', () => {
    const kept = appendOf('MutationKept');
    for (const which of kept.events.keys())
      expect(
        problemOf(kept, (_, at) => (at === which ? { id: deriveId('id', at) } : {})),
      ).toContain('found the id');
  });

  it('that was asked for over the API is taken under an id that nobody knows, and binds what derives from it', () => {
    const asked =
      (one: string, other: string): Change =>
      ({ type, data, metadata: said }, at) => ({
        id: eventId('outside', at),
        data: {
          ...(data as object),
          ...(type === 'HypothesisProposed' ? { hypothesisId: one } : { paysFor: other }),
        },
        metadata: { ...said, causationId: deriveId('request') },
      });
    const own = deriveId('hypothesis', 'outside');
    expect(problemOf(charged, asked(own, own))).toBeNull();
    expect(problemOf(charged, asked(own, deriveId('else')))).toContain('data.paysFor');
  });

  it('that does not follow its stream is refused', () => {
    const [first] = charged.events;
    if (first === undefined) throw new Error('an append without events');
    const judged = (change: Partial<JudgedEvent>) =>
      judgeAppend(charged.before, [{ ...first, ...change }, ...charged.events.slice(1)]).problem;
    expect(judged({ prev: 'f'.repeat(64) })).toContain('metadata.prev');
    expect(judged({ revision: 99 })).toContain('revision 99, expected 12');
    expect(judged({ stream: 'run-pay-2' })).toContain('found the stream run-pay-2');
  });

  it('of an unknown stream or type is refused', () => {
    expect(judgeAppend(startOf('people-1'), EVENTS).problem).toContain('unknown kind');
    expect(judgeAppend(startOf('run-'), EVENTS).problem).toContain('unknown kind');
    const strange = charged.events.map((event) => ({ ...event, type: 'RunBlessed' }));
    expect(judgeAppend(charged.before, strange).problem).toContain('RunBlessed');
  });

  it('of a run with another id than its stream, or a signature of another head, is refused', () => {
    const opened = appendOf('RunOpened');
    expect(
      problemOf(opened, ({ type, data }) =>
        type === 'RunOpened' ? { data: { ...(data as object), runId: 'pay-2' } } : {},
      ),
    ).not.toBeNull();
    const signed = appendOf('RunHeadSigned');
    expect(
      problemOf(signed, ({ data }) => ({ data: { ...(data as object), revision: 3 } })),
    ).toContain('found a signature of 3');
  });
});

describe('what no golden log holds', () => {
  it.each(
    otherAppends(APPENDS).map(({ before, events }, nth) => ({
      name: `${String(nth)}: ${events.map(({ type }) => type).join(', ')}`,
      before,
      events,
    })),
  )('is decided: $name', ({ before, events }) => {
    expect(judgeAppend(before, events).problem).toBeNull();
  });
});

describe('a mutation that the paths show to be none', () => {
  const proposals = otherAppends(APPENDS).filter(
    ({ events }) => events[0]?.type === 'MutationProposed' && events[1]?.type === 'RunHalted',
  );
  const [elsewhere] = proposals.filter(({ events }) =>
    JSON.stringify(events[0]?.data).includes('elsewhere.json'),
  );

  it('is not let through by a halt for something else', () => {
    if (elsewhere === undefined) throw new Error('no mutation elsewhere');
    const change: Change = ({ type, data }) => {
      const { breaches } = data as { readonly breaches: readonly { readonly rule: string }[] };
      return type === 'RunHalted'
        ? {
            data: {
              ...(data as object),
              breaches: breaches.filter(({ rule }) => rule !== 'mutable-files-only'),
            },
          }
        : {};
    };
    expect(problemOf(elsewhere, change)).toContain('found no breach of mutable-files-only');
  });
});

describe('a policy of version 1', () => {
  it('is taken only where the opening was written in version 1', () => {
    const opened = appendOf('RunOpened');
    const change: Change = ({ type, data }) => {
      const { policy } = data as { policy: object };
      return type === 'RunOpened'
        ? { data: { ...(data as object), policy: { ...policy, version: 1 } } }
        : {};
    };
    expect(problemOf(opened, change)).toContain('found a policy of version 1, expected 2');
  });
});

describe('a stream that is remembered', () => {
  it('stands where the judged one stands', () => {
    const whole = judgeAppend(startOf(RUN), EVENTS);
    expect(whole.problem).toBeNull();
    expect(remember(startOf(RUN), EVENTS)).toEqual(whole);
  });

  it('has its links looked at', () => {
    expect(remember(startOf(RUN), EVENTS.slice(1)).problem).toContain('revision 1, expected 0');
  });
});

describe('whatever stands in the events', () => {
  const anything = fc.oneof(fc.jsonValue({ maxDepth: 4 }), fc.constant(undefined));
  const known = [...new Set(EVENTS.map(({ type }) => type)), '__proto__', 'constructor', ''];

  it('there is an answer', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('run-pay-1', 'study-s', 'finding-r-f1', 'data-d', 'fleet', 'access-a', 'x'),
        fc.array(
          fc.record(
            {
              stream: anything,
              revision: anything,
              id: anything,
              type: fc.oneof(fc.constantFrom(...known), anything),
              data: anything,
              metadata: anything,
              prev: anything,
              hash: anything,
            },
            { requiredKeys: [] },
          ),
          { minLength: 1, maxLength: 3 },
        ),
        (stream, events) => {
          const strange = events as unknown as readonly JudgedEvent[];
          expect(judgeAppend(startOf(stream), strange).problem).toEqual(expect.any(String));
          expect(remember(startOf(stream), strange).problem).toEqual(expect.any(String));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('there is an answer to a member of another kind in any append', () => {
    fc.assert(
      fc.property(fc.nat(APPENDS.length - 1), fc.nat(), anything, (nth, member, value) => {
        const append = APPENDS[nth];
        if (append === undefined) return;
        const events = append.events.map((event) => {
          const names = Object.keys(event.data as object);
          const name = names[member % names.length] ?? '';
          return { ...event, data: { ...(event.data as object), [name]: value } };
        });
        const { problem } = judgeAppend(append.before, events);
        expect(problem === null || typeof problem === 'string').toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('an event that is nothing at all is a problem', () => {
    const nothing = [null, undefined, 7, []] as unknown as readonly JudgedEvent[];
    for (const each of nothing)
      expect(judgeAppend(startOf(RUN), [each]).problem).toEqual(expect.any(String));
  });
});

describe('a reason that the mandate does not show', () => {
  const refusedFor = (reason: string) => {
    const proposed = appendOf('MutationProposed');
    const { before } = proposed;
    const said = { inARow: 1, reason, hypothesisId: '' };
    const hypothesisId = (proposed.events[0]?.data as { hypothesisId: string }).hypothesisId;
    return problemOf({ before, events: proposed.events.slice(0, 1) }, ({ metadata: own }) => ({
      type: 'ProposalRefused',
      id: eventId(deriveId('command', before.head?.id ?? '', 'ProposeMutation'), 0),
      data: { ...said, hypothesisId },
      metadata: { ...own, schemaVersion: 1 },
    }));
  };

  it('is decided by the rules that it names, though it would show others itself', () => {
    expect(refusedFor('the edit does not apply')).toBeNull();
    expect(refusedFor(`${NOT_SHOWN}specific-recommendations, individual-records`)).toBeNull();
  });

  it('is refused with words of its own, or where the screen would have hidden it', () => {
    expect(refusedFor(`${NOT_SHOWN}deny the applicant in row 17`)).not.toBeNull();
    expect(refusedFor('deny the applicant in row 17')).not.toBeNull();
  });
});
