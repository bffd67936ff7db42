import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateKey, sign, verify } from '#libs/signatures';
import type { StoredBytes } from './ports.ts';
import { chained, honestRun, sealed } from './testing/honest-run.ts';
import type { Sealed, Workshop } from './testing/honest-run.ts';
import { CHECKS } from './verification.ts';
import { verifyFinding } from './verify-finding.ts';
import type { FindingToVerify, StoredEvents, Verdict } from './verify-finding.ts';

const runner = generateKey();
const worker = generateKey();
const other = generateKey();
const named = ({ keyId, publicKey }: typeof runner) => ({ keyId, publicKey });
const workshop: Workshop = {
  sha256: (bytes) => hash('sha256', bytes, 'hex'),
  sha1: (bytes) => hash('sha1', bytes, 'hex'),
  keys: { runner: named(runner), worker: named(worker) },
  other: named(other),
  sign: (who, context, value) => sign({ runner, worker, other }[who], context, value),
};
const HONEST = honestRun(workshop, [
  'kept',
  'crashed',
  'kept-elsewhere',
  'kept-large',
  'diverged',
  'kept',
]);
const STREAMS = sealed(workshop, HONEST);

/** What a test feeds instead of the honest streams. */
type Fed = Partial<Omit<FindingToVerify, 'dataEvents'>> & { readonly dataEvents?: StoredEvents };

const verdictOn = ({ dataEvents = STREAMS.dataEvents, ...streams }: Fed): Promise<Verdict> =>
  verifyFinding({
    ...STREAMS,
    dataEvents: () => dataEvents,
    readObject: HONEST.git.readObject,
    sha256: workshop.sha256,
    sha1: workshop.sha1,
    verifySignature: verify,
    ...streams,
  });

const rowOf = ({ rows }: Verdict, name: string) => rows.find(({ row }) => row === name);

type Stream = keyof Sealed;
const stream = fc.constantFrom<Stream[]>('events', 'studyEvents', 'findingEvents', 'dataEvents');

/** A stream and a place in it. */
const place = stream.chain((name) =>
  fc.nat(STREAMS[name].length - 1).map((at) => ({ name, at, events: STREAMS[name] })),
);

const flipped = (event: StoredBytes, bit: number): StoredBytes => {
  const canonical = Uint8Array.from(event.canonical);
  const at = (bit >> 3) % canonical.length;
  canonical[at] = (canonical[at] ?? 0) ^ (1 << (bit & 7));
  return { ...event, canonical };
};

const blocks = async (name: Stream, events: readonly StoredBytes[]): Promise<void> => {
  const verdict = await verdictOn({ [name]: events });
  expect(verdict.verdict).toBe('BLOCK');
  expect(verdict.rows).toHaveLength(CHECKS.length);
  expect(verdict.rows.some(({ passed, found }) => !passed && found !== '')).toBe(true);
};

const RUNS = { numRuns: 60 };

describe('any single change of a stored stream', () => {
  it('is told from the honest one', async () => {
    expect((await verdictOn({})).verdict).toBe('PASS');
  });

  it('blocks when a bit is flipped', async () => {
    await fc.assert(
      fc.asyncProperty(place, fc.nat(), async ({ name, at, events }, bit) => {
        await blocks(name, events.with(at, flipped(events[at]!, bit)));
      }),
      RUNS,
    );
  });

  it('blocks when a field of the envelope is changed', async () => {
    const field = fc.constantFrom('stream', 'id', 'type', 'hash');
    await fc.assert(
      fc.asyncProperty(place, field, async ({ name, at, events }, changed) => {
        await blocks(name, events.with(at, { ...events[at]!, [changed]: 'other' }));
      }),
      RUNS,
    );
  });

  it('blocks when an event is deleted', async () => {
    await fc.assert(
      fc.asyncProperty(place, async ({ name, at, events }) => {
        // The study's last event is its count of the look; none of a stream's events is spare.
        await blocks(name, events.toSpliced(at, 1));
      }),
      RUNS,
    );
  });

  it('blocks when two events change places', async () => {
    await fc.assert(
      fc.asyncProperty(place, fc.nat(), async ({ name, at, events }, step) => {
        const other = (at + 1 + (step % Math.max(1, events.length - 1))) % events.length;
        fc.pre(other !== at);
        await blocks(name, events.with(at, events[other]!).with(other, events[at]!));
      }),
      RUNS,
    );
  });

  it('blocks when an event is inserted', async () => {
    await fc.assert(
      fc.asyncProperty(place, fc.nat(), async ({ name, at, events }, which) => {
        await blocks(name, events.toSpliced(at, 0, events[which % events.length]!));
      }),
      RUNS,
    );
  });

  it('blocks when a stream is truncated', async () => {
    await fc.assert(
      fc.asyncProperty(place, async ({ name, at, events }) => {
        await blocks(name, events.slice(0, at));
      }),
      RUNS,
    );
  });
});

describe('a chain that was hashed anew by somebody without the keys', () => {
  it('blocks wherever the loop was changed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(HONEST.run.length - 1), async (at) => {
        const facts = HONEST.run.map((fact, index) =>
          index === at ? { ...fact, data: { ...(fact.data as object), more: true } } : fact,
        );
        const loop = chained('run-r1', facts, workshop.sha256);
        const signed = JSON.parse(new TextDecoder().decode(STREAMS.events.at(-1)!.canonical)) as {
          data: object;
        };
        const head = { revision: loop.length - 1, hash: loop.at(-1)!.hash };
        const tail = chained(
          'run-r1',
          [{ type: 'RunHeadSigned', data: { ...signed.data, ...head } }],
          workshop.sha256,
          { position: loop.length, prev: head.hash },
          loop.length,
        );
        const { finding } = HONEST;
        const claimed = chained(
          'finding-f1',
          [
            {
              ...finding,
              data: { ...finding.data, chain: { ...finding.data.chain, runHead: head } },
            },
          ],
          workshop.sha256,
          { position: 1_000_000, prev: null },
        );
        const verdict = await verdictOn({ events: [...loop, ...tail], findingEvents: claimed });
        expect(rowOf(verdict, 'hash-chain')?.passed).toBe(true);
        expect(rowOf(verdict, 'run-head-signed')?.found).toContain('does not hold');
        expect(verdict.verdict).toBe('BLOCK');
      }),
      { numRuns: 40 },
    );
  });

  it('blocks when the loop goes on after its signed head', async () => {
    const last = STREAMS.events.at(-1)!;
    const more = chained(
      'run-r1',
      [{ type: 'ProposalRefused', data: { hypothesisId: 'h', reason: 'x', inARow: 1 } }],
      workshop.sha256,
      { position: 999, prev: last.hash },
      STREAMS.events.length,
    );
    const verdict = await verdictOn({ events: [...STREAMS.events, ...more] });
    expect(verdict.rows.filter(({ passed }) => !passed).map(({ row }) => row)).toEqual([
      'run-head-signed',
    ]);
  });

  it.each([
    ['before the loop ended', -1],
    ['after the finding was proposed', 1_000_000],
  ])('blocks when the sealed rows were opened %s', async (says, position) => {
    const studyEvents = STREAMS.studyEvents.map((event, at, all) =>
      at === all.length - 1 ? { ...event, position } : event,
    );
    const verdict = await verdictOn({ studyEvents });
    expect(verdict.rows.filter(({ passed }) => !passed).map(({ row }) => row)).toEqual([
      'sealed-look',
    ]);
    expect(rowOf(verdict, 'sealed-look')?.found).toContain(says);
  });

  it.each([
    ['SplitFixed', 'the split of the data was fixed after the run was opened'],
    ['TableFixed', 'was not said before it was released'],
  ])('blocks when %s came only after the run was opened', async (late, says) => {
    // One place after the run's first event.
    const position = STREAMS.events[0]!.position + 1;
    const dataEvents = STREAMS.dataEvents.map((event) =>
      event.type === late ? { ...event, position } : event,
    );
    const verdict = await verdictOn({ dataEvents });
    expect(verdict.rows.filter(({ passed }) => !passed).map(({ row }) => row)).toEqual([
      'data-pinned',
    ]);
    expect(rowOf(verdict, 'data-pinned')?.found).toContain(says);
  });

  it('passes when the run was closed and signed again', async () => {
    const last = STREAMS.events.at(-1)!;
    const closed = chained(
      'run-r1',
      [{ type: 'RunClosed', data: { findings: [{ findingId: 'f1', verdict: 'PASS' }] } }],
      workshop.sha256,
      { position: 999, prev: last.hash },
      STREAMS.events.length,
    );
    expect((await verdictOn({ events: [...STREAMS.events, ...closed] })).verdict).toBe('PASS');
  });
});

describe('any single object', () => {
  const oids = [...HONEST.git.objects.keys()];

  it.each([
    ['absent', 'is absent'],
    ['altered', 'is altered'],
  ] as const)('blocks when it is %s, and is named', async (how, says) => {
    for (const oid of oids) {
      const verdict = await verdictOn({
        readObject: async (asked) => {
          const object = await HONEST.git.readObject(asked);
          if (asked !== oid || object.state !== 'present') return object;
          if (how === 'absent') return { state: 'absent' };
          return { ...object, content: Uint8Array.from([...object.content, 0x20]) };
        },
      });
      expect(verdict.verdict).toBe('BLOCK');
      const found = rowOf(verdict, 'objects')?.found ?? '';
      expect(found).toContain(oid);
      expect(found).toContain(says);
    }
  });

  it('blocks when objects are corrupt, or reading them fails, or there are none at hand', async () => {
    const corrupt = await verdictOn({
      readObject: () => Promise.resolve({ state: 'corrupt', reason: 'does not inflate' }),
    });
    expect(rowOf(corrupt, 'objects')?.found).toContain('is altered: does not inflate');
    const failing = await verdictOn({ readObject: () => Promise.reject(new Error('EIO')) });
    expect(rowOf(failing, 'objects')?.found).toContain("can't be read: Error: EIO");
    const none = await verdictOn({ readObject: null });
    expect(none.rows.filter(({ passed }) => !passed).map(({ row }) => row)).toEqual([
      'source-pinned',
      'data-pinned',
      'objects',
      'mutations',
    ]);
  });
});

describe('what cannot be read', () => {
  it('is a row that fails, whatever an operator with all keys wrote as data', async () => {
    const place = fc.nat(HONEST.run.length - 1);
    const payload = fc.oneof(fc.constant({}), fc.dictionary(fc.string(), fc.jsonValue()));
    await fc.assert(
      fc.asyncProperty(place, payload, async (at, data) => {
        const run = HONEST.run.map((fact, index) => (index === at ? { ...fact, data } : fact));
        const { rows } = await verdictOn(sealed(workshop, { ...HONEST, run }));
        expect(rows).toHaveLength(CHECKS.length);
      }),
      RUNS,
    );
  });

  it.each([
    ['no finding', { findingEvents: [] }, 'does not start with FindingProposed'],
    ['no run', { events: [] }, 'run-r1 has no events'],
    ['a finding stream that is a study', { findingEvents: STREAMS.studyEvents }, 'FindingProposed'],
  ])('blocks on %s', async (_, streams, says) => {
    const verdict = await verdictOn(streams);
    expect(verdict.verdict).toBe('BLOCK');
    expect(verdict.rows).toHaveLength(CHECKS.length);
    expect(rowOf(verdict, 'hash-chain')?.found).toContain(says);
  });

  it('blocks when the log breaks off while it is read', async () => {
    async function* broken() {
      yield* STREAMS.events.slice(0, 3);
      throw new Error('event 3 is corrupt');
    }
    const verdict = await verdictOn({ events: broken() });
    expect(verdict.verdict).toBe('BLOCK');
    expect(rowOf(verdict, 'hash-chain')?.found).toContain('event 3 is corrupt');
  });

  it('blocks on a claim without its chain', async () => {
    const bare = chained('finding-f1', [{ type: 'FindingProposed', data: {} }], workshop.sha256);
    const verdict = await verdictOn({ findingEvents: bare });
    expect(verdict.verdict).toBe('BLOCK');
    expect(rowOf(verdict, 'complete-chain')?.found).toContain('could not be checked');
  });

  it('blocks on an event of a later version', async () => {
    const at = 5;
    const events = STREAMS.events.map((event, index) => {
      if (index !== at) return event;
      const text = new TextDecoder().decode(event.canonical);
      return {
        ...event,
        canonical: new TextEncoder().encode(text.replace('"schemaVersion":1', '"schemaVersion":2')),
      };
    });
    const verdict = await verdictOn({ events });
    expect(rowOf(verdict, 'known-events')?.found).toContain('version 2, expected 1');
  });
});
