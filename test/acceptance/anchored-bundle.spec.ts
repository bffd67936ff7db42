import { hash, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import canonicalize from 'canonicalize';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BUNDLE_PORTS,
  driveRun,
  LOG_TREE,
  makeBundle,
  NO_ANCHORS,
  openRun,
  openSealing,
  sealLog,
  type Home,
} from '#apps/runner';
import { bytesSource, verifyBundle, type BundleVerdict } from '#libs/bundle';
import { formatVerifierKey, SIGNATURE_TYPES } from '#libs/checkpoints';
import { readLogTree } from '#libs/log-tree';
import { notaryKey } from '#libs/notary';
import { readStudy } from '#libs/studies';
import { trustOf, type AuditorOptions } from '../../apps/cli/src/verbs/verify-bundle.ts';
import { NOTARY_PORTS } from '../../apps/runner/src/streams.ts';
import { signerOf } from '../../libs/checkpoints/src/testing/signers.ts';
import {
  startTimestampAuthority,
  type TimestampAuthorityDouble,
} from '../doubles/timestamp-authority/timestamp-authority.ts';
import { startWitness, type WitnessDouble } from '../doubles/witness/witness.ts';
import { holdfast, jsonLines } from '../support/holdfast.ts';
import { inPreparedHome } from '../support/prepared-home.ts';
import type { Prepared } from '../support/prepared.ts';
import { good } from '../support/results.ts';
import { scriptedAgent, useFeatures } from '../support/scripted-agent.ts';

const PATIENCE = 180_000;
const ORIGIN = 'ledger.example/anchored';
/** When the witness says that it saw the checkpoint. */
const SEEN_AT = '2025-11-20T08:00:00.000Z';
const WITNESS = 'witness.example';
const cosigner = signerOf(WITNESS, SIGNATURE_TYPES.cosignature);

let prepared: Prepared;
let home: Home;
let witness: WitnessDouble;
let authority: TimestampAuthorityDouble;
let stranger: TimestampAuthorityDouble;
/** The bundle's lines, without line feeds. */
let lines: readonly string[];
/** What an auditor is given by others. */
let key: string;
let witnessKey: string;
let ca: string;
let otherCa: string;

const pem = async (name: string, { root }: TimestampAuthorityDouble): Promise<string> => {
  const file = join(prepared.root, name);
  await writeFile(file, new X509Certificate(root).toString());
  return file;
};

inPreparedHome((made) => ({ prepared, home } = made), {
  'program/features.json': () => '{ "use": ["paper"] }\n',
});
beforeAll(async () => {
  [authority, stranger] = await Promise.all([startTimestampAuthority(), startTimestampAuthority()]);
  [ca, otherCa] = [await pem('ca.pem', authority), await pem('other-ca.pem', stranger)];
  witnessKey = formatVerifierKey(cosigner.key);
  const settings = { key: null, origin: ORIGIN, ...NO_ANCHORS };
  const { signer } = good(await openSealing(home.folder, settings));
  witness = await startWitness({
    ...NOTARY_PORTS,
    ...{ signer: cosigner, logs: [notaryKey(NOTARY_PORTS.sha256, ORIGIN, signer)] },
    now: () => Date.parse(SEEN_AT) / 1000,
  });
  const sealing = good(
    await openSealing(home.folder, {
      ...settings,
      witnesses: [{ url: witness.url, verifierKey: witnessKey }],
      timestampAuthorities: [{ url: authority.url, caFile: ca }],
    }),
  );
  const { runId, study } = good(
    await openRun(home, { study: good(await readStudy(prepared.study)), seed: 1 }),
  );
  good(await driveRun(home, { runId, study, agent: scriptedAgent([useFeatures('route')]) }));
  const made = good(
    await makeBundle(home, {
      ...{ subject: { kind: 'finding', id: `${runId}-f1` }, atLeast: 0 },
      seal: () => sealLog(home, sealing),
      tree: () => readLogTree(join(home.folder, LOG_TREE)),
    }),
  );
  const bytes: Uint8Array[] = [];
  for await (const line of made.bytes()) bytes.push(line);
  made.close();
  lines = Buffer.concat(bytes).toString('utf8').trimEnd().split('\n');
  key = made.verifierKey;
}, PATIENCE);
afterAll(async () => {
  await Promise.all([witness.close(), authority.close(), stranger.close()]);
});

interface Anchored {
  readonly kind: string;
  readonly evidence: string;
}

/** The bundle with other evidence in its anchors of a kind; all that hashes cover fits again. */
const withEvidence = (kind: string, change: (evidence: string) => string): readonly string[] => {
  let prev: string | null = null;
  const changed = lines.map((line) => {
    if (!line.startsWith('{"body":') || !line.includes('"stream":"notary","type":')) return line;
    const { body } = JSON.parse(line) as {
      body: { type: string; data: Anchored; metadata: object };
    };
    const isOurs = body.type === 'CheckpointAnchored' && body.data.kind === kind;
    const data = isOurs ? { ...body.data, evidence: change(body.data.evidence) } : body.data;
    const text = canonicalize({ ...body, data, metadata: { ...body.metadata, prev } })!;
    prev = hash('sha256', text);
    return `{"body":${text},"part":"event"}`;
  });
  const header = JSON.parse(changed[0]!) as { streams: { stream: string; head: string }[] };
  header.streams[0]!.head = prev!;
  expect(changed).not.toEqual(lines);
  return [canonicalize(header)!, ...changed.slice(1)];
};

const flipped = (base64: string, at: number): string => {
  const bytes = Buffer.from(base64, 'base64');
  bytes[at < 0 ? bytes.length + at : at]! ^= 1;
  return bytes.toString('base64');
};

const witnessed = (): readonly string[] => ['--witness', witnessKey];
const timestamped = (): readonly string[] => ['--timestamp-ca', ca];

let files = 0;
/** What the command says of a bundle. */
const verify = async (bundle: readonly string[], ...args: readonly string[]) => {
  const file = join(prepared.root, `bundle-${(files += 1)}`);
  await writeFile(file, `${bundle.join('\n')}\n`);
  const said = await holdfast(['verify', file, '--key', key, '--json', ...args], {
    env: { HOLDFAST_HOME: join(prepared.root, 'nowhere') },
  });
  const [verdict] = jsonLines<BundleVerdict>(said);
  return { exitCode: said.exitCode, ...shown(verdict!) };
};

/** What the same options make of it, without a process for each: the command does no more. */
const verified = async (bundle: readonly string[], options: AuditorOptions = {}) => {
  const trust = good(await trustOf({ key, ...options }));
  const source = bytesSource(Buffer.from(`${bundle.join('\n')}\n`));
  return shown(good(await verifyBundle(source, trust, BUNDLE_PORTS)));
};

const shown = ({ verdict, rows, standing }: BundleVerdict) => {
  const about = (what: string) => standing.find((line) => line.about === what)!;
  return {
    verdict,
    failed: rows.filter(({ passed }) => !passed).map(({ row }) => row),
    anchors: rows.find(({ row }) => row === 'anchors')!.found,
    time: about('time'),
    history: about('one-history'),
  };
};

describe('an auditor who trusts a witness and a timestamp authority', () => {
  it(
    'is told by both of them when everything was there, and by the witness that all are shown one log',
    async () => {
      const before = Date.now();
      const told = await verify(lines, ...witnessed(), ...timestamped());
      expect(told).toMatchObject({ exitCode: 0, failed: [], history: { restsOn: ['witness'] } });
      expect([...told.time.restsOn].sort()).toEqual(['timestamp', 'witness']);
      expect(told.time.says).toContain(`in the log by ${SEEN_AT}, says ${WITNESS} (witness)`);
      const [, stamped = ''] = /\(timestamp\) at ([0-9TZ:.-]+)/.exec(told.anchors) ?? [];
      expect(Math.abs(Date.parse(stamped) - before)).toBeLessThan(600_000);
      expect(told.anchors).not.toContain('not verified');
    },
    PATIENCE,
  );

  it(
    'who names neither is told that both are not verified, and rests on the operator',
    async () => {
      const told = await verified(lines);
      expect(told).toMatchObject({
        ...{ verdict: 'PASS', failed: [] },
        time: { restsOn: ['operator'] },
        history: { restsOn: ['operator'] },
      });
      expect(told.anchors).toContain('nobody that you named saw the newest checkpoint');
      expect(told.anchors).toContain(`not verified: ${WITNESS} (witness), ${authority.url}`);
    },
    PATIENCE,
  );

  it.each<[string, () => readonly string[], () => string]>([
    [
      'a token whose signature was changed',
      () => withEvidence('timestamp', (token) => flipped(token, -1)),
      () => ca,
    ],
    [
      'a token that says another time',
      () =>
        withEvidence('timestamp', (token) => {
          const bytes = Buffer.from(token, 'base64');
          const year = bytes.indexOf(`${new Date().getUTCFullYear()}`, 0, 'latin1');
          expect(year).toBeGreaterThan(0);
          bytes.write('1', year, 'latin1');
          return bytes.toString('base64');
        }),
      () => ca,
    ],
    [
      'a token that is none',
      () => withEvidence('timestamp', () => Buffer.alloc(300, 7).toString('base64')),
      () => ca,
    ],
    ['a token of an authority that he does not trust', () => lines, () => otherCa],
  ])(
    'takes no time from %s',
    async (_, bundle, trusted) => {
      const told = await verified(bundle(), { timestampCa: trusted() });
      expect(told).toMatchObject({ verdict: 'PASS', failed: [], time: { restsOn: ['operator'] } });
      expect(told.anchors).toContain(`${authority.url} (timestamp)`);
      expect(told.anchors).toContain('not verified');
    },
    PATIENCE,
  );

  it.each<[string, (signed: Buffer) => void]>([
    ['whose signature was changed', (signed) => void (signed[signed.length - 1]! ^= 1)],
    // The key's id, then the seconds since 1970 that are signed.
    ['of another time', (signed) => void (signed[4 + 7]! ^= 1)],
  ])(
    'blocks a cosignature %s',
    async (_, change) => {
      const bundle = withEvidence('witness', (line) => {
        const [dash, name, base64] = line.split(' ');
        const signed = Buffer.from(base64!, 'base64');
        change(signed);
        return [dash, name, signed.toString('base64')].join(' ');
      });
      const told = await verify(bundle, ...witnessed(), ...timestamped());
      expect(told).toMatchObject({
        ...{ exitCode: 1, failed: ['anchors'] },
        anchors: expect.stringContaining(`the cosignature of ${WITNESS} is not its own`) as string,
        history: { restsOn: ['operator'] },
      });
      // Who does not know the witness is told no more than that he does not.
      expect(await verified(bundle)).toMatchObject({ verdict: 'PASS', failed: [] });
    },
    PATIENCE,
  );
});
