/** Makes the bundle of a run of about so many events, as a log holds it, in memory. Started by bundle.ts. */
import { open } from 'node:fs/promises';
import { formatVerifierKey } from '#libs/checkpoints';
import {
  bundleOf,
  logSigner,
  usualFacts,
  witnessSigner,
} from '../libs/bundle/src/testing/fixture.ts';
import { sealed } from '../libs/provenance/src/testing/honest-run.ts';
import { longRun, makeWorkshop } from './long-run.ts';

export interface Made {
  readonly key: string;
  readonly bytes: number;
}

const [, , path = '', wanted = ''] = process.argv;
const workshop = makeWorkshop();
const honest = longRun(workshop, Number(wanted));
const { events, studyEvents, dataEvents, findingEvents } = sealed(workshop, honest);
// Only the order counts; what is fixed for the data stands before the run.
const ordered = [
  ...dataEvents.filter(({ type }) => type !== 'LookCounted'),
  ...events,
  ...studyEvents,
  ...dataEvents.filter(({ type }) => type === 'LookCounted'),
  ...findingEvents,
].map((event, position) => ({ ...event, position }));
const log = logSigner();
const { bytes } = await bundleOf(
  { events: ordered, readObject: honest.git.readObject },
  { kind: 'finding', id: honest.findingId },
  usualFacts(ordered, log, witnessSigner()),
);
const file = await open(path, 'w');
await file.writeFile(bytes);
await file.close();
const made: Made = { key: formatVerifierKey(log.key), bytes: bytes.length };
process.stdout.write(JSON.stringify(made));
