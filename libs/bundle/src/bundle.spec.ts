import { formatNote, formatVerifierKey, signText } from '#libs/checkpoints';
import { acceptanceText, type Append } from '#libs/notary';
import { beforeAll, describe, expect, it } from 'vitest';
import { SEALED } from '../../kernel/src/testing/sealed-text.ts';
import { bytesSource, isPlaced, openBundle, verifyBundle, type AuditorTrust } from './index.ts';
import {
  bundleOf,
  goldenLog,
  headsOver,
  inTurn,
  logSigner,
  nodePorts,
  notaryFacts,
  ORIGIN,
  usualFacts,
  WITNESSED,
  witnessSigner,
  type Bundled,
  type GoldenRun,
  type NotaryFact,
} from './testing/fixture.ts';

const log = logSigner();
const witness = witnessSigner();
const KEY = formatVerifierKey(log.key);
const FINDING = { kind: 'finding', id: 'pay-1-f1' } as const;
const golden = goldenLog('v2-pay');
const { events } = golden;
const facts = notaryFacts(events);

const joined = (lines: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(lines));
const linesOf = (bytes: Uint8Array): readonly Uint8Array[] => {
  const lines: Uint8Array[] = [];
  let start = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    lines.push(bytes.subarray(start, end + 1));
    start = end + 1;
  }
  return lines;
};

const trust: AuditorTrust = { logKey: KEY, witnesses: [formatVerifierKey(witness.key)] };
const check = (bytes: Uint8Array, given: AuditorTrust = trust) =>
  verifyBundle(bytesSource(bytes), given, nodePorts);

/** Every row that failed, of the bundle and of its findings; null for what is no bundle at all. */
const failed = async (
  bytes: Uint8Array,
  given: AuditorTrust = trust,
): Promise<readonly string[] | null> => {
  const verified = await check(bytes, given);
  if (!verified.ok) return null;
  const { verdict, rows, findings } = verified.value;
  const names = [...rows, ...findings.flatMap((finding) => finding.rows)]
    .filter(({ passed }) => !passed)
    .map(({ row }) => row);
  expect(verdict).toBe(names.length === 0 ? 'PASS' : 'BLOCK');
  return names;
};

const withFacts = (said: readonly NotaryFact[]) => bundleOf(golden, FINDING, said);

let bundled: Bundled;
let honest: Uint8Array;
let lines: readonly Uint8Array[];
beforeAll(async () => {
  bundled = await withFacts(usualFacts(events, log, witness));
  honest = bundled.bytes;
  lines = linesOf(honest);
});

describe('a bundle', () => {
  it('proves its finding to somebody who has the key alone', async () => {
    const verified = await check(honest, { logKey: KEY });
    expect(verified).toMatchObject({
      ok: true,
      value: {
        verdict: 'PASS',
        subject: FINDING,
        checkpoint: { size: events.length },
        findings: [{ findingId: 'pay-1-f1', verdict: 'PASS' }],
      },
    });
    expect(verified.ok && verified.value.rows.map(({ row }) => row)).toEqual([
      'bundle-form',
      'subject',
      'checkpoints',
      'log-key',
      'anchors',
      'inclusion',
      'heads',
      'order',
      'summary',
    ]);
    expect(
      verified.ok && verified.value.standing.map(({ about, restsOn }) => [about, restsOn]),
    ).toEqual([
      ['time', ['operator']],
      ['completeness', ['signatures', 'operator']],
      ['one-history', ['operator']],
      ['rules', ['signatures', 'operator']],
      ['metrics', ['operator']],
    ]);
  });

  it.each<GoldenRun>(['v1-pay', 'v2-pay'])('holds a run of %s with its findings', async (name) => {
    const whole = goldenLog(name);
    const said = usualFacts(whole.events, log, witness);
    const { bytes, verdicts } = await bundleOf(whole, { kind: 'run', id: 'pay-1' }, said);
    expect(verdicts.length).toBeGreaterThan(0);
    const verified = await check(bytes);
    expect(verified.ok && verified.value.findings.map(({ findingId }) => findingId)).toEqual(
      verdicts.map(({ findingId }) => findingId),
    );
    expect(await failed(bytes)).toEqual([]);
  });

  it('of a run has each result verified once, whatever its findings', async () => {
    const run = { kind: 'run', id: 'pay-1' } as const;
    const { bytes, verdicts } = await bundleOf(golden, run, usualFacts(events, log, witness));
    expect(verdicts.length).toBeGreaterThan(1);
    const asked: string[] = [];
    const verified = await verifyBundle(bytesSource(bytes), trust, {
      ...nodePorts,
      verifySignature: (key, context, value, signature) => {
        if (context === 'training') asked.push(signature.value);
        return nodePorts.verifySignature(key, context, value, signature);
      },
    });
    expect(verified).toMatchObject({ ok: true, value: { verdict: 'PASS' } });
    expect(asked.length).toBeGreaterThan(1);
    expect(new Set(asked).size).toBe(asked.length);
  });

  it('of a run holds every finding that the run closed with', async () => {
    const closed = events.find(({ type }) => type === 'RunClosed')!;
    const last = events.findLast(({ stream }) => stream === closed.stream)!;
    // The head that is signed last comes after the close, which so tells no place.
    expect(last).toMatchObject({ type: 'RunHeadSigned', revision: closed.revision + 1 });
    const run = { kind: 'run', id: 'pay-1' } as const;
    const said = usualFacts(events, log, witness);
    const without = events.filter(({ stream }) => stream !== 'finding-pay-1-f2');
    const { bytes } = await bundleOf(golden, run, said, without);
    expect(await failed(bytes)).toEqual(['subject']);
  });

  it('is the same bytes each time', async () => {
    expect((await withFacts(usualFacts(events, log, witness))).bytes).toEqual(honest);
  });

  it('can be looked into', async () => {
    const opened = await openBundle(bytesSource(honest));
    if (!opened.ok) throw new Error(opened.error.message);
    const { header, lines: count, objects, summary, readObject } = opened.value;
    expect(header?.streams.map(({ stream }) => stream)).toEqual([
      'notary',
      expect.stringMatching(/^data-/),
      'finding-pay-1-f1',
      'run-pay-1',
      'study-pay',
    ]);
    expect(header?.origin).toBe(ORIGIN);
    expect(count).toBe(lines.length);
    expect(objects).toBe(lines.filter((line) => line[2] === 'c'.charCodeAt(0)).length);
    expect(summary).toContain('pay-1-f1');
    expect(await readObject('0'.repeat(40))).toEqual({ state: 'absent' });
    expect(await readObject('f'.repeat(40))).toEqual({ state: 'absent' });
    const run: Uint8Array[] = [];
    for await (const lot of opened.value.events('run-pay-1'))
      for (const { canonical } of lot) run.push(canonical);
    expect(run).toEqual(
      events.filter(({ stream }) => stream === 'run-pay-1').map(({ canonical }) => canonical),
    );
  });

  it('says who saw it, of those whom the auditor names', async () => {
    const verified = await check(honest);
    const time = new Date(WITNESSED * 1000).toISOString();
    expect(verified.ok && verified.value.standing.slice(0, 3)).toMatchObject([
      { about: 'time', restsOn: ['witness'], says: expect.stringContaining(time) },
      { about: 'completeness' },
      { about: 'one-history', restsOn: ['witness'] },
    ]);
  });
});

describe('whom the auditor trusts', () => {
  it('is no key of another log', async () => {
    expect(await failed(honest, { logKey: formatVerifierKey(logSigner().key) })).toEqual([
      'log-key',
    ]);
    expect(await check(honest, { logKey: 'no key' })).toMatchObject({ error: { code: 'bad-key' } });
    expect(await check(honest, { logKey: formatVerifierKey(witness.key) })).toMatchObject({
      error: { code: 'bad-key' },
    });
    expect(await check(honest, { ...trust, witnesses: [KEY] })).toMatchObject({
      error: { code: 'bad-key' },
    });
  });

  it('may be either key of a log that changed its key by both', async () => {
    const next = logSigner();
    const size = events.length;
    const said = inTurn(
      facts.opened(log),
      (after) => facts.signed(log, 40, null, after),
      facts.rotated(log, next),
      (after) => facts.signed(next, size, 40, after),
    );
    const { bytes } = await withFacts(said);
    expect(await failed(bytes, { logKey: KEY })).toEqual([]);
    expect(await failed(bytes, { logKey: formatVerifierKey(next.key) })).toEqual([]);
    // Without the change the later key signs for nobody.
    const [opened, first, , last] = said;
    const stolen = await withFacts([opened!, first!, last!]);
    expect(await failed(stolen.bytes, { logKey: KEY })).toContain('checkpoints');
  });

  it('is no witness under whose name somebody else signed', async () => {
    const impostor = witnessSigner();
    const { bytes } = await withFacts(
      inTurn(
        facts.opened(log),
        (after) => facts.signed(log, events.length, null, after),
        (after) => facts.witnessed(impostor, after.at(-1)!, WITNESSED),
      ),
    );
    expect(await failed(bytes)).toEqual(['anchors']);
    expect(await failed(bytes, { logKey: KEY })).toEqual([]);
  });

  it('may be an authority that says when it saw the signed checkpoint', async () => {
    const opened = facts.opened(log);
    const first = facts.signed(log, events.length, null, [opened]);
    const { size, root, note } = first.data as { size: number; root: string; note: string };
    const token = {
      type: 'CheckpointAnchored',
      data: { size, root, kind: 'timestamp', by: 'authority', evidence: 'dG9rZW4=' },
    };
    const { bytes } = await withFacts([opened, first, token]);
    const asked: string[] = [];
    const ask = (time: string | null) =>
      check(bytes, {
        logKey: KEY,
        verifyTimestamp: (evidence, message) => {
          asked.push(`${new TextDecoder().decode(evidence)} ${new TextDecoder().decode(message)}`);
          return Promise.resolve(time);
        },
      });
    const told = async (time: string | null) => {
      const verified = await ask(time);
      if (!verified.ok) throw new Error(verified.error.message);
      return [verified.value.verdict, verified.value.standing[0]?.restsOn];
    };
    expect(await told('2026-11-26T00:00:00.000Z')).toEqual(['PASS', ['timestamp']]);
    expect(await told(null)).toEqual(['PASS', ['operator']]);
    expect(asked).toEqual([`token ${note}`, `token ${note}`]);
  });

  it('is no notary who signed what does not extend the last checkpoint', async () => {
    const said = usualFacts(events, log, witness);
    const [opened, first, second] = said;
    const other = notaryFacts([...events].reverse()).signed(log, 30, null, [opened!]);
    const { bytes } = await withFacts([opened!, other, second!]);
    expect(await failed(bytes)).toEqual(expect.arrayContaining(['checkpoints']));
    expect(await failed((await withFacts([opened!, first!, second!])).bytes)).toEqual([]);
  });

  it('is no log over which an alarm stands', async () => {
    const alarm = {
      type: 'NotaryAlarmRaised',
      data: { reason: 'shorter-log', size: 9, found: '9 events', expected: '10' },
    };
    const said = [...usualFacts(events, log, witness), alarm];
    expect(await failed((await withFacts(said)).bytes)).toEqual(['checkpoints']);
    const settled = { type: 'NotaryAlarmSettled', data: { reason: SEALED } };
    expect(await failed((await withFacts([...said, settled])).bytes)).toEqual([]);
  });
});

describe('an append that a person accepted against the rules', () => {
  const { stream, revision, hash } = events[39]!;
  const append = { stream, from: revision, to: revision, hash };
  const raised = (about: object | null = append, reason = 'not-decided'): NotaryFact => ({
    type: 'NotaryAlarmRaised',
    data: { reason, size: 20, found: 'one thing', expected: 'another', append: about },
  });
  /** Accepted in a note of this signer, over what is said here unless it is another text. */
  const settled = (
    accepts: object | null = append,
    alarm = 2,
    signer = log,
    text = acceptanceText(ORIGIN, alarm, accepts as Append, { role: 'operator', id: 'local' }),
  ): NotaryFact => ({
    type: 'NotaryAlarmSettled',
    data: {
      alarm,
      reason: SEALED,
      accepts,
      note: formatNote({ text, signatures: [signText(signer, text)] }),
    },
  });
  const unaccepted: NotaryFact = {
    type: 'NotaryAlarmSettled',
    data: { alarm: 2, reason: SEALED, accepts: null, note: null },
  };
  const verdictOf = async (...alarm: readonly NotaryFact[]) => {
    const said = inTurn(
      facts.opened(log),
      (after) => facts.signed(log, 20, null, after),
      ...alarm,
      (after) => facts.signed(log, events.length, 20, after),
    );
    const verified = await check((await withFacts(said)).bytes);
    if (!verified.ok) throw new Error(verified.error.message);
    const { verdict, rows, standing } = verified.value;
    return {
      ...{ verdict, found: rows.find(({ row }) => row === 'checkpoints')?.found },
      rules: standing.find(({ about }) => about === 'rules')?.says,
    };
  };

  it('is told in the verdict, with its hash, who accepted it and when', async () => {
    const text = `1 append was accepted by a person against the rules' replay: ${stream}@${revision} (${hash}) by operator local, 2026-11-26T00:00:00.000Z`;
    expect(await verdictOf(raised(), settled())).toEqual({
      verdict: 'PASS',
      found: expect.stringContaining(text) as string,
      rules: expect.stringMatching(
        /accepted by a person.*1 of these appends is in the streams/s,
      ) as string,
    });
    const elsewhere = { ...append, stream: 'run-other-1' };
    expect((await verdictOf(raised(elsewhere), settled(elsewhere))).rules).toContain(
      'none of these appends is in a stream that is here',
    );
    expect(await verdictOf(raised(), unaccepted)).toMatchObject({
      verdict: 'PASS',
      rules: expect.stringContaining('nobody had to vouch for one') as string,
    });
  });

  it.each<[string, readonly NotaryFact[]]>([
    ['another than the alarm is about', [raised(), settled({ ...append, to: revision + 1 })]],
    ['one of another hash', [raised(), settled({ ...append, hash: 'ab'.repeat(32) })]],
    ['one of an alarm about none', [raised(null, 'shorter-log'), settled()]],
    ['one of another alarm', [raised(), settled(append, 1)]],
    ['one in an alarm that can be about none', [raised(append, 'shorter-log'), settled()]],
    ['something that is none', [raised({}), settled({})]],
    [
      'one without a note',
      [raised(), { ...settled(), data: { ...(settled().data as object), note: null } }],
    ],
    ['one of which another key signed', [raised(), settled(append, 2, logSigner())]],
    [
      'one that somebody else accepted',
      [
        raised(),
        settled(
          ...([append, 2, log] as const),
          acceptanceText(ORIGIN, 2, append, { role: 'operator', id: 'another' }),
        ),
      ],
    ],
  ])('is not %s', async (_, alarm) => {
    expect(await verdictOf(...alarm)).toMatchObject({ verdict: 'BLOCK' });
  });
});

describe('what the newest checkpoint commits to', () => {
  const alarm = [
    {
      type: 'NotaryAlarmRaised',
      data: { reason: 'shorter-log', size: 40, found: '9 events', expected: '40' },
    },
    { type: 'NotaryAlarmSettled', data: { reason: SEALED } },
  ] as const;
  const first = (after: readonly NotaryFact[]) => facts.signed(log, 40, null, after);
  const last = (after: readonly NotaryFact[]) => facts.signed(log, events.length, 40, after);
  const completeness = async (bytes: Uint8Array) => {
    const verified = await check(bytes);
    return verified.ok ? verified.value.standing[1]?.says : null;
  };

  it('is the head of every stream: one that was cut back is blocked', async () => {
    for (const stream of ['finding-pay-1-f1', 'run-pay-1']) {
      // Cut back to an event whose place is proven, and all else of the bundle made to fit.
      const cut = events.findIndex(
        (each) => each.stream === stream && isPlaced(stream, each.type, false),
      );
      const shorter = events.filter((each, at) => each.stream !== stream || at <= cut);
      expect(shorter.length).toBeLessThan(events.length);
      const { bytes } = await bundleOf(golden, FINDING, usualFacts(events, log, witness), shorter);
      expect(await failed(bytes), stream).toContain('heads');
    }
  });

  it('is nothing where it is one of version 1: the verdict says so', async () => {
    const said = inTurn(facts.opened(log), (after) => {
      const { type, data } = facts.signed(log, events.length, null, after);
      const { heads: _, follows: __, ...rest } = data as Record<string, unknown>;
      const { size, root } = rest as { size: number; root: string };
      const text = `${ORIGIN}\n${size}\n${root}\n`;
      return {
        type,
        data: { ...rest, note: formatNote({ text, signatures: [signText(log, text)] }) },
      };
    });
    const { bytes } = await withFacts(said);
    expect(await failed(bytes)).toEqual(['heads']);
    expect(await completeness(bytes)).toContain('commits to no heads');
  });

  it('is no list of streams: one that is left out whole is missed by who needs it', async () => {
    const claim = events.findIndex(({ type }) => type === 'FindingProposed');
    const early = { ...golden, events: events.slice(0, claim) };
    const said = usualFacts(early.events, log, witness);
    const run = { kind: 'run', id: 'pay-1' } as const;
    const { bytes } = await bundleOf(early, run, said);
    expect(await failed(bytes)).toEqual([]);
    const others = early.events.filter(({ stream }) => !stream.startsWith('study-'));
    expect(await failed((await bundleOf(early, run, said, others)).bytes)).toEqual(['subject']);
  });

  it('are other heads than the log has: blocked', async () => {
    const said = inTurn(facts.opened(log), (after) =>
      notaryFacts(events).signed(log, events.length, null, after, headsOver(events.slice(0, -1))),
    );
    expect(await failed((await withFacts(said)).bytes)).toEqual(['heads']);
  });

  it('is the notary’s own stream before it', async () => {
    const said = inTurn(facts.opened(log), first, ...alarm, last);
    expect(await failed((await withFacts(said)).bytes)).toEqual([]);
    const without = said.filter(({ type }) => !type.startsWith('NotaryAlarm'));
    expect(await failed((await withFacts(without)).bytes)).toContain('checkpoints');
  });

  it('is not what the notary recorded after it, which the standing says', async () => {
    const said = inTurn(facts.opened(log), first, last);
    expect(await failed((await withFacts([...said, ...alarm])).bytes)).toEqual([]);
    const { bytes } = await withFacts(said);
    expect(await failed(bytes)).toEqual([]);
    expect(await completeness(bytes)).toContain('nobody has signed yet');
  });
});

describe('a checkpoint that was seen before', () => {
  const noteOf = (fact: NotaryFact): string => (fact.data as { note: string }).note;
  const middle = Math.floor(events.length / 2);

  it('is one of this log', async () => {
    const seen = noteOf(facts.signed(log, middle, null, [facts.opened(log)]));
    expect(await failed(honest, { ...trust, seen })).toEqual([]);
  });

  it.each([
    [
      'of another history',
      () =>
        noteOf(notaryFacts([...events].reverse()).signed(log, middle, null, [facts.opened(log)])),
    ],
    [
      'of a size that the notary does not own up to',
      () => noteOf(facts.signed(log, middle - 1, null, [])),
    ],
    ['signed by another', () => noteOf(facts.signed(logSigner(), middle, null, []))],
  ])('%s blocks', async (_, seen) => {
    expect(await failed(honest, { ...trust, seen: seen() })).toEqual(['seen-checkpoint']);
  });

  it('that is newer asks for a newer bundle', async () => {
    const said = inTurn(facts.opened(log), (after) =>
      facts.signed(log, events.length, null, after),
    );
    const { bytes } = await withFacts(said);
    const later = notaryFacts([...events, events[0]!]).signed(log, events.length + 1, null, said);
    const verified = await check(bytes, { ...trust, seen: noteOf(later) });
    const row = verified.ok && verified.value.rows.find((each) => each.row === 'seen-checkpoint');
    expect(row).toMatchObject({ passed: false, found: expect.stringContaining('ask for one') });
  });

  it('that is none is refused', async () => {
    expect(await check(honest, { ...trust, seen: 'nothing' })).toMatchObject({
      error: { code: 'bad-checkpoint' },
    });
  });
});

describe('what is no bundle', () => {
  it.each([
    ['nothing', ''],
    ['another file', '{"hello":1}\n'],
    ['a file without lines', 'hello'],
    ['a later version', '{"format":"holdfast-bundle","version":2}\n'],
    ['a version that is no number', '{"format":"holdfast-bundle","version":{"toString":null}}\n'],
  ])('is refused: %s', async (_, text) => {
    expect(await check(new TextEncoder().encode(text))).toMatchObject({
      error: { code: 'no-bundle' },
    });
  });
});

describe('what a stranger wrote of any shape', () => {
  /** An object that has no text: to write it into one throws. */
  const SHAPELESS = { toString: null };
  const replaced = (of: Uint8Array, from: RegExp, to: string): Uint8Array => {
    const text = Buffer.from(of).toString('utf8');
    expect(text).toMatch(from);
    return Uint8Array.from(Buffer.from(text.replace(from, to), 'utf8'));
  };

  const [opened, first] = inTurn(facts.opened(log), (after) =>
    facts.signed(log, events.length, null, after),
  );
  const said = (...more: readonly NotaryFact[]) => [opened!, first!, ...more];
  const { size, root } = first!.data as { readonly size: number; readonly root: string };
  const newest = (value: unknown): NotaryFact => ({
    type: 'CheckpointSigned',
    data: { ...(first!.data as object), newest: value },
  });
  const alarm = { reason: 'shorter-log', size: 9, found: '9 events', expected: '10' };

  it.each<[string, readonly NotaryFact[]]>([
    ['a checkpoint without its newest leaf', [opened!, newest(null)]],
    [
      'a checkpoint of a newest leaf of no name',
      [opened!, newest({ stream: SHAPELESS, revision: 1, hash: '' })],
    ],
    [
      'a cosignature that is no text',
      said({
        type: 'CheckpointAnchored',
        data: { size, root, kind: 'witness', by: 'w', evidence: SHAPELESS },
      }),
    ],
    [
      'an alarm about no text',
      said({ type: 'NotaryAlarmRaised', data: { ...alarm, found: SHAPELESS } }),
    ],
    [
      'an alarm with a member of two names',
      said(
        {
          type: 'NotaryAlarmRaised',
          data: { reason: 'shorter-log', size: 9, 'expected,found': 'something' },
        },
        { type: 'NotaryAlarmSettled', data: { reason: SEALED } },
      ),
    ],
  ])('of the notary is blocked: %s', async (_, written) => {
    expect(await failed((await withFacts(written)).bytes)).toContain('checkpoints');
  });

  it.each([
    ['half a character', /"statement":"[^"]*"/, '"statement":["\\ud800"]'],
    ['a number that is too large', /"statement":"[^"]*"/, '"statement":1e999'],
    [
      'a version without a text',
      /"schemaVersion":2(?=[^\n]*"type":"FindingProposed")/,
      '"schemaVersion":{"toString":null}',
    ],
  ])('of the finding is blocked: %s', async (_, from, to) => {
    expect(await failed(replaced(honest, from, to))).toContain('inclusion');
  });

  it.each([
    ['no name of its study', 'subject', /"studyId":"pay"(?=[^\n]*"type":"RunOpened")/],
    ['no name of its data', 'inclusion', /"dataDigest":"[0-9a-f]{64}"(?=[^\n]*"type":"RunOpened")/],
    ['a finding of no name', 'subject', /"findingId":"pay-1-f1"(?=[^\n]*"type":"RunClosed")/],
  ])('of the run is blocked: %s', async (_, row, from) => {
    const { bytes } = await bundleOf(
      golden,
      { kind: 'run', id: 'pay-1' },
      usualFacts(events, log, witness),
    );
    const changed = (name: string) => `"${name.split('"')[1]}":{"toString":null}`;
    const text = Buffer.from(bytes).toString('utf8');
    expect(text).toMatch(from);
    const tampered = Uint8Array.from(Buffer.from(text.replace(from, changed), 'utf8'));
    expect(await failed(tampered)).toContain(row);
  });
});

describe('a bundle that was tampered with', () => {
  it('is blocked whichever line it lost', async () => {
    for (let at = 0; at < lines.length; at += 1) {
      const rows = await failed(joined(lines.filter((_, place) => place !== at)));
      expect(rows, Buffer.from(lines[at]!).toString().slice(0, 120)).not.toEqual([]);
      if (at > 0) expect(rows).toContain('bundle-form');
    }
  }, 300_000);

  it('is blocked with two lines exchanged', async () => {
    for (let at = 0; at + 1 < lines.length; at += 7) {
      const changed = [...lines];
      [changed[at], changed[at + 1]] = [lines[at + 1]!, lines[at]!];
      expect(await failed(joined(changed)), String(at)).not.toEqual([]);
    }
  }, 120_000);

  it('is blocked with a line twice', async () => {
    for (let at = 1; at < lines.length; at += 9) {
      const changed = [...lines.slice(0, at + 1), ...lines.slice(at)];
      expect(await failed(joined(changed)), String(at)).toContain('bundle-form');
    }
  }, 120_000);

  it('is blocked with any byte changed', async () => {
    let seed = 1;
    const draw = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (let round = 0; round < 300; round += 1) {
      const at = draw(honest.length);
      const changed = Uint8Array.from(honest);
      changed[at]! ^= 1 << draw(8);
      const where = Buffer.from(changed.subarray(Math.max(0, at - 60), at + 60)).toString();
      expect(await failed(changed), `${round}: ${where}`).not.toEqual([]);
    }
  }, 300_000);

  it('is blocked wherever it was cut', async () => {
    for (let cut = 1; cut < honest.length; cut += Math.ceil(honest.length / 60))
      expect(await failed(honest.subarray(0, cut)), String(cut)).not.toEqual([]);
    expect(await failed(honest.subarray(0, honest.length - 1))).toContain('bundle-form');
  }, 120_000);

  it('is blocked with anything after its end', async () => {
    for (const more of ['\n', ' ', '{"lines":1,"part":"end"}\n'])
      expect(await failed(joined([honest, new TextEncoder().encode(more)]))).toContain(
        'bundle-form',
      );
  });

  it('is blocked with another summary', async () => {
    const text = new TextDecoder().decode(lines.at(-2)).replace('claimed', 'Claimed');
    const changed = [...lines.slice(0, -2), new TextEncoder().encode(text), lines.at(-1)!];
    expect(await failed(joined(changed))).toEqual(['summary']);
  });
});
