import { describe, expect, it } from 'vitest';
import {
  formatCheckpoint,
  formatNote,
  formatVerifierKey,
  SIGNATURE_TYPES,
  signText,
  toBase64,
  type NoteSigner,
} from '#libs/checkpoints';
import type { PrivateText } from '#libs/kernel';
import { consistencyProof, leafHash } from '#libs/merkle';
import { signerOf, verifyEd25519 } from '../../checkpoints/src/testing/signers.ts';
import { grownTree, sha256 } from '../../merkle/src/testing/grown-tree.ts';
import { SEALED } from '../../kernel/src/testing/sealed-text.ts';
import { specification } from '../../kernel/src/testing/specification.ts';
import {
  acceptanceText,
  commitmentLines,
  NOTARY_UPCASTERS,
  notaryDecider,
  rotationText,
  type Append,
  type NotaryCommand,
  type NotaryEvent,
  type RecordCheckpoint,
} from './index.ts';

const ORIGIN = 'ledger.example/holdfast';

const decider = notaryDecider({ sha256, verify: verifyEd25519 });
const given = specification(decider, (found, expected) => {
  expect(found).toMatchObject(expected as object);
});

const first = signerOf(ORIGIN, SIGNATURE_TYPES.ed25519);
const second = signerOf(ORIGIN, SIGNATURE_TYPES.ed25519);
const vkey = (signer: NoteSigner) => formatVerifierKey(signer.key);

/** Two logs of a hundred events that part after the fiftieth. */
const treeOf = (branch: string) => {
  const { read, roots } = grownTree(
    Array.from({ length: 100 }, (_, at) =>
      leafHash(sha256, Buffer.from(`${at} ${at < 50 ? '' : branch}`)),
    ),
  );
  return {
    root: (size: number) => roots[size]!,
    proof: (from: number, to: number) => consistencyProof(sha256, read, from, to),
  };
};
const honest = treeOf('honest');
const forked = treeOf('forked');

const opened: NotaryEvent = {
  type: 'NotaryOpened',
  data: { origin: ORIGIN, verifierKey: vkey(first) },
};

type Commits = Pick<RecordCheckpoint['data'], 'heads' | 'follows'>;
const COMMITS: Commits = {
  heads: { streams: 2, root: toBase64(new Uint8Array(32).fill(7)) },
  follows: { revision: 0, hash: 'cd'.repeat(32) },
};
/** As version 1 was, made version 2. */
const [upcast] = NOTARY_UPCASTERS.CheckpointSigned;
const NOTHING: Commits = { heads: null, follows: null };

interface Made {
  readonly tree?: typeof honest;
  readonly signer?: NoteSigner;
  readonly origin?: string;
  readonly commits?: Commits;
  /** What is signed, if it is something else. */
  readonly said?: Commits;
}

const checkpoint = (
  size: number,
  from: number,
  { tree = honest, signer = first, origin = ORIGIN, commits = COMMITS, said }: Made = {},
): RecordCheckpoint => {
  const root = tree.root(size);
  const text = formatCheckpoint({
    origin,
    size,
    root,
    extensions: commitmentLines(said ?? commits),
  });
  return {
    type: 'RecordCheckpoint',
    id: `checkpoint ${size}`,
    data: {
      size,
      root: toBase64(root),
      note: formatNote({ text, signatures: [signText(signer, text)] }),
      extendsLast: from === 0 ? [] : tree.proof(from, size).map(toBase64),
      newest: { stream: 'run-pay-1', revision: size - 1, hash: 'ab'.repeat(32) },
      ...commits,
    },
  };
};
const signed = (size: number, from: number): NotaryEvent => ({
  type: 'CheckpointSigned',
  data: checkpoint(size, from).data,
});

const alarm: Extract<NotaryEvent, { type: 'NotaryAlarmRaised' }> = {
  type: 'NotaryAlarmRaised',
  data: {
    ...{ reason: 'shorter-log', size: 50, append: null },
    ...{ found: '40 events', expected: '50 that were signed' },
  },
};
const raise: NotaryCommand = { type: 'RaiseAlarm', id: 'alarm', data: alarm.data };
const OPERATOR = { role: 'operator', id: 'local' };
const acceptance = (text: string, signer = first): string =>
  formatNote({ text, signatures: [signText(signer, text)] });
const settled = (
  of: number,
  accepts: Append | null = null,
  reason: PrivateText = SEALED,
  note = accepts === null ? null : acceptance(acceptanceText(ORIGIN, of, accepts, OPERATOR)),
): Extract<NotaryEvent, { type: 'NotaryAlarmSettled' }> => ({
  type: 'NotaryAlarmSettled',
  data: { alarm: of, reason, accepts, note },
});
const settle = (...args: Parameters<typeof settled>): NotaryCommand => ({
  type: 'SettleAlarm',
  id: 's',
  data: settled(...args).data,
});

describe('a notary', () => {
  it('is opened once, with a key of its origin', () => {
    const open: NotaryCommand = { type: 'OpenNotary', id: 'open', data: opened.data };
    given([]).when(open).then([opened]);
    given([opened]).when(open).then([]);
    given([opened])
      .when({ ...open, data: { ...opened.data, verifierKey: vkey(second) } })
      .thenRefused('other-notary', 'rotate the key');
    given([])
      .when({ ...open, data: { origin: 'other.example', verifierKey: vkey(first) } })
      .thenRefused('bad-note', 'expected an Ed25519 key named other.example');
    given([])
      .when({ ...open, data: { origin: 'two words', verifierKey: vkey(first) } })
      .thenRefused('bad-note', 'without spaces');
  });

  it('signs nothing before', () => {
    given([]).when(checkpoint(10, 0)).thenRefused('not-open');
  });
});

describe('a checkpoint', () => {
  it('is recorded, the first and what extends it', () => {
    given([opened])
      .when(checkpoint(10, 0))
      .then([signed(10, 0)]);
    given([opened, signed(10, 0)])
      .when(checkpoint(64, 10))
      .then([signed(64, 10)]);
  });

  it('is recorded once', () => {
    given([opened, signed(10, 0)])
      .when(checkpoint(10, 0))
      .then([]);
  });

  it('commits to the heads of streams in what is signed', () => {
    const other: Commits = { ...COMMITS, heads: { ...COMMITS.heads!, streams: 3 } };
    const elsewhere: Commits = { ...COMMITS, follows: { revision: 1, hash: 'cd'.repeat(32) } };
    for (const said of [other, elsewhere, NOTHING])
      given([opened])
        .when(checkpoint(10, 0, { said }))
        .thenRefused('bad-note', 'and the lines: heads 2 ');
    for (const commits of [
      { ...COMMITS, follows: null },
      { ...COMMITS, heads: null },
      { ...COMMITS, heads: { ...COMMITS.heads!, streams: 11 } },
      { ...COMMITS, heads: { streams: 2, root: 'AAAA' } },
    ])
      given([opened])
        .when(checkpoint(10, 0, { commits, said: COMMITS }))
        .thenRefused('bad-note', 'a commitment that is not one');
  });

  it('of version 1 commits to nothing, and is valid until one does', () => {
    const old = checkpoint(10, 0, { commits: NOTHING });
    const { heads: _, follows: __, ...version1 } = old.data;
    expect(upcast!(version1)).toEqual(old.data);
    const before: NotaryEvent = { type: 'CheckpointSigned', data: old.data };
    given([opened]).when(old).then([before]);
    given([opened, before])
      .when(checkpoint(64, 10))
      .then([signed(64, 10)]);
    given([opened, signed(10, 0)])
      .when(checkpoint(64, 10, { commits: NOTHING }))
      .thenRefused('bad-note', 'commits to no heads');
  });

  it('of a log that parted from what was signed is refused, whatever proof it brings', () => {
    const before = [opened, signed(60, 0)];
    given(before)
      .when(checkpoint(80, 60, { tree: forked }))
      .thenRefused('not-an-extension');
    const { data } = checkpoint(80, 0, { tree: forked });
    given(before)
      .when({
        type: 'RecordCheckpoint',
        id: 'x',
        data: { ...data, extendsLast: honest.proof(60, 80).map(toBase64) },
      })
      .thenRefused('not-an-extension');
    // Of the part that both logs share the fork is a continuation: nobody can tell yet.
    given([opened, signed(50, 0)])
      .when(checkpoint(80, 50, { tree: forked }))
      .then([{ type: 'CheckpointSigned' }]);
  });

  it('of fewer events than were signed, or of as many others, is refused', () => {
    given([opened, signed(60, 0)])
      .when(checkpoint(40, 0))
      .thenRefused('not-an-extension');
    given([opened, signed(60, 0)])
      .when(checkpoint(60, 0, { tree: forked }))
      .thenRefused('not-an-extension');
  });

  it('needs the signature of the key that signs now, over what it says', () => {
    given([opened])
      .when(checkpoint(10, 0, { signer: second }))
      .thenRefused('bad-note', 'expected one of');
    given([opened])
      .when(checkpoint(10, 0, { origin: 'other.example' }))
      .thenRefused('bad-note', 'of other.example');
    const { data } = checkpoint(10, 0);
    given([opened])
      .when({ type: 'RecordCheckpoint', id: 'x', data: { ...data, size: 11 } })
      .thenRefused('bad-note', 'expected 11 leaves');
    given([opened])
      .when({ type: 'RecordCheckpoint', id: 'x', data: { ...data, note: 'no note' } })
      .thenRefused('bad-note', 'no signatures');
  });
});

describe('an alarm', () => {
  it('is raised once, and keeps everything from being signed until a human settled it', () => {
    given([opened]).when(raise).then([alarm]);
    given([opened, alarm]).when(raise).then([]);
    given([opened, signed(10, 0), alarm])
      .when(checkpoint(20, 10))
      .thenRefused('alarmed', 'shorter-log');
    given([opened]).when(settle(1)).thenRefused('no-alarm');
    given([opened, alarm])
      .when(settle(1, null, { kind: 'plain', text: 'restored' }))
      .thenRefused('no-reason');
    given([opened, alarm])
      .when(settle(2))
      .thenRefused('no-alarm', 'found alarm 2, expected 1, the one that stands');
    given([opened, alarm])
      .when(settle(1))
      .then([settled(1)]);
    given([opened, signed(10, 0), alarm, settled(2)])
      .when(checkpoint(20, 10))
      .then([signed(20, 10)]);
  });

  it('about an append is settled with that append accepted, or with none', () => {
    const append: Append = { stream: 'run-pay-1', from: 3, to: 5, hash: 'ab'.repeat(32) };
    const undecided: NotaryEvent = {
      type: 'NotaryAlarmRaised',
      data: { ...alarm.data, reason: 'not-decided', append },
    };
    given([opened]).when({ type: 'RaiseAlarm', id: 'a', data: undecided.data }).then([undecided]);
    for (const data of [
      { ...undecided.data, reason: 'shorter-log' as const },
      { ...undecided.data, append: { ...append, from: 6 } },
      { ...undecided.data, append: { ...append, more: 1 } },
      { ...undecided.data, append: {} as Append },
    ])
      given([opened]).when({ type: 'RaiseAlarm', id: 'a', data }).thenRefused('other-append');
    for (const accepts of [append, null])
      given([opened, undecided])
        .when(settle(1, accepts))
        .then([settled(1, accepts)]);
    for (const accepts of [
      { ...append, stream: 'run-pay-2' },
      { ...append, from: 4 },
      { ...append, to: 4 },
      { ...append, hash: 'cd'.repeat(32) },
      {} as Append,
    ])
      given([opened, undecided]).when(settle(1, accepts)).thenRefused('other-append', append.hash);
    given([opened, alarm])
      .when(settle(1, append))
      .thenRefused('other-append', 'no append that could be accepted');
    const text = acceptanceText(ORIGIN, 1, append, OPERATOR);
    for (const note of [
      null,
      acceptance(text, second),
      acceptance(acceptanceText(ORIGIN, 2, append, OPERATOR)),
      acceptance(acceptanceText('other.example', 1, append, OPERATOR)),
      acceptance(acceptanceText(ORIGIN, 1, { ...append, to: 6 }, OPERATOR)),
    ])
      given([opened, undecided])
        .when(settle(1, append, SEALED, note))
        .thenRefused('bad-note');
    given([opened, undecided])
      .when(settle(1, null, SEALED, acceptance(text)))
      .thenRefused('bad-note');
  });

  it('of version 1 named no append, and its settlement accepted none', () => {
    const [raisedOf1] = NOTARY_UPCASTERS.NotaryAlarmRaised;
    const { append: _, ...raised } = alarm.data;
    expect(raisedOf1!(raised)).toEqual(alarm.data);
    const [settledOf1] = NOTARY_UPCASTERS.NotaryAlarmSettled;
    const data = settledOf1!({ reason: SEALED });
    expect(data).toEqual({ alarm: null, reason: SEALED, accepts: null, note: null });
    given([opened, alarm])
      .when({ type: 'SettleAlarm', id: 's', data })
      .then([{ type: 'NotaryAlarmSettled', data }]);
  });
});

describe('a rotation', () => {
  const rotation = (...signers: readonly NoteSigner[]): NotaryCommand => {
    const text = rotationText(ORIGIN, vkey(first), vkey(second));
    const note = formatNote({ text, signatures: signers.map((each) => signText(each, text)) });
    return {
      type: 'RotateNotaryKey',
      id: 'r',
      data: { from: vkey(first), to: vkey(second), note },
    };
  };

  it('is signed by both keys, and the new one signs from there on', () => {
    given([opened])
      .when(rotation(first, second))
      .then([{ type: 'NotaryKeyRotated' }]);
    const rotated: NotaryEvent = {
      type: 'NotaryKeyRotated',
      data: rotation(first, second).data as Extract<
        NotaryEvent,
        { type: 'NotaryKeyRotated' }
      >['data'],
    };
    given([opened, rotated])
      .when(checkpoint(10, 0, { signer: second }))
      .then([{ type: 'CheckpointSigned' }]);
    given([opened, rotated]).when(checkpoint(10, 0)).thenRefused('bad-note');
    given([opened, rotated]).when(rotation(first, second)).then([]);
  });

  it.each([
    ['the old key alone', [first]],
    ['the new key alone', [second]],
  ])('signed by %s is refused', (_, signers) => {
    given([opened])
      .when(rotation(...signers))
      .thenRefused('bad-note', 'expected one of each key');
  });
});

describe('an anchor', () => {
  const anchor = (size: number): NotaryCommand => ({
    type: 'RecordAnchor',
    id: 'anchor',
    data: {
      size,
      root: toBase64(honest.root(size)),
      kind: 'witness',
      by: 'w1.example',
      evidence: '— w1',
    },
  });

  it('is kept once for the last checkpoint, and for no other', () => {
    given([opened, signed(10, 0)])
      .when(anchor(10))
      .then([{ type: 'CheckpointAnchored' }]);
    given([opened]).when(anchor(10)).thenRefused('unknown-checkpoint');
    given([opened, signed(10, 0), signed(20, 10)])
      .when(anchor(10))
      .thenRefused('unknown-checkpoint');
    const kept: NotaryEvent = {
      type: 'CheckpointAnchored',
      data: anchor(10).data as Extract<NotaryEvent, { type: 'CheckpointAnchored' }>['data'],
    };
    given([opened, signed(10, 0), kept])
      .when(anchor(10))
      .then([]);
  });
});
