import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  conclude,
  observe,
  observeRun,
  settle,
  startRunVerification,
  startVerification,
  verifyFinding,
} from '#libs/provenance';
import type { StoredBytes, VerificationPorts, VerifySignature } from '#libs/provenance';
import { verify } from '#libs/signatures';
import { sealed } from '../libs/provenance/src/testing/honest-run.ts';
import type { Sealed, Workshop } from '../libs/provenance/src/testing/honest-run.ts';
import { longRun, makeWorkshop, sha1, sha256 } from './long-run.ts';
import { median } from './median.ts';

export interface VerifyBench {
  readonly events: number;
  /** Mean size of an event's canonical form. */
  readonly bytesPerEvent: number;
  /** Events a second: hashed, parsed, linked and folded by every check; signatures are not verified. */
  readonly folded: number;
  /** The same with the signatures of all trainings. */
  readonly withSignatures: number;
  /** The same with every object read and hashed, from memory. */
  readonly withObjects: number;
  /** Events a second of hashing and parsing alone: what the folding is measured against. */
  readonly hashedAndParsed: number;
  /** What the verifier holds after the last event, in bytes. */
  readonly retained: number;
}

const garbageCollector = (): (() => void) => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
};

const perSecond = (events: number, since: number): number =>
  Math.round(events / ((performance.now() - since) / 1000));

const repeated = async (times: number, run: () => Promise<number>): Promise<number> => {
  const speeds: number[] = [];
  for (let time = 0; time < times; time += 1) speeds.push(await run());
  return median(speeds);
};

const decode = new TextDecoder();

const hashAndParse = (events: readonly StoredBytes[]): number => {
  const since = performance.now();
  for (const { canonical, hash: expected } of events) {
    if (sha256(canonical) !== expected) throw new Error('a hash is wrong');
    JSON.parse(decode.decode(canonical));
  }
  return perSecond(events.length, since);
};

const foldEvents = async (streams: Sealed, verifySignature: VerifySignature): Promise<number> => {
  const since = performance.now();
  const { rows } = await verifyFinding({
    ...streams,
    dataEvents: () => streams.dataEvents,
    sha256,
    sha1,
    verifySignature,
    readObject: null,
  });
  const speed = perSecond(streams.events.length, since);
  const failed = rows.filter(({ passed }) => !passed).map(({ row }) => row);
  if (failed.join() !== 'source-pinned,data-pinned,objects,mutations')
    throw new Error(`failed: ${failed.join()}`);
  return speed;
};

const retainedBytes = async (streams: Sealed, ports: VerificationPorts): Promise<number> => {
  const collect = garbageCollector();
  const body = JSON.parse(decode.decode(streams.findingEvents[0]?.canonical)) as {
    data: Parameters<typeof startVerification>[0];
  };
  collect();
  const before = process.memoryUsage().heapUsed;
  const run = startRunVerification(ports);
  const verification = startVerification(body.data, run);
  for (const event of streams.studyEvents) observe(verification, 'study', event);
  for (const event of streams.dataEvents) observe(verification, 'data', event);
  for (const [at, event] of streams.events.entries()) {
    observeRun(run, [verification], event);
    if (at % 256 > 0) continue;
    await settle(run);
    await settle(verification);
  }
  collect();
  const after = process.memoryUsage().heapUsed;
  await conclude(verification);
  return after - before;
};

const benchRun = async (workshop: Workshop, wanted: number): Promise<VerifyBench> => {
  const honest = longRun(workshop, wanted);
  const streams = sealed(workshop, honest);
  const { events } = streams;
  const believe: VerifySignature = () => true;
  const ports = { sha256, sha1, verifySignature: believe, readObject: null };
  return {
    events: events.length,
    bytesPerEvent: Math.round(
      events.reduce((sum, { canonical }) => sum + canonical.length, 0) / events.length,
    ),
    hashedAndParsed: await repeated(5, async () => hashAndParse(events)),
    folded: await repeated(5, () => foldEvents(streams, believe)),
    withSignatures: await repeated(3, () => foldEvents(streams, verify)),
    withObjects: await repeated(3, async () => {
      const since = performance.now();
      const { readObject } = honest.git;
      const { verdict } = await verifyFinding({
        ...streams,
        dataEvents: () => streams.dataEvents,
        sha256,
        sha1,
        verifySignature: verify,
        readObject,
      });
      if (verdict !== 'PASS') throw new Error('an honest run did not pass');
      return perSecond(events.length, since);
    }),
    retained: await retainedBytes(streams, ports),
  };
};

/** Verification of a run of about so many events, on one core. */
export const benchVerify = (events: number): Promise<VerifyBench> =>
  benchRun(makeWorkshop(), events);
