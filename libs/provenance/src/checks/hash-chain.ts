import { counted } from '#libs/kernel';
import type { Check, Link } from '../check.ts';
import type { Source } from '../event-versions.ts';
import { collectFaults } from '../faults.ts';

interface Tail {
  revision: number;
  hash: string | null;
}

/** Bytes hash to what the log says, each event names the one before it, and no place is empty or taken twice. */
export const hashChain: Check = {
  of: 'finding',
  row: 'hash-chain',
  expected:
    'in each stream the stored bytes hash to the recorded hashes, each event names the hash of the one before it, revisions run from 0 without holes',
  start: ({ finding }) => {
    const faults = collectFaults();
    const { look } = finding.claim;
    const names: Record<Source, string> = {
      run: `run-${finding.chain.runId}`,
      study: `study-${finding.chain.studyId}`,
      finding: `finding-${finding.findingId}`,
      data: `data-${look?.dataDigest ?? ''}`,
    };
    const tails: Record<Source, Tail> = {
      run: { revision: -1, hash: null },
      study: { revision: -1, hash: null },
      finding: { revision: -1, hash: null },
      data: { revision: -1, hash: null },
    };

    const follows = ({ source, stored, digest, body }: Link): boolean => {
      const tail = tails[source];
      return (
        body !== null &&
        digest === stored.hash &&
        body.stream === names[source] &&
        body.revision === tail.revision + 1 &&
        body.metadata.prev === tail.hash &&
        stored.stream === body.stream &&
        stored.revision === body.revision &&
        stored.id === body.id &&
        stored.type === body.type
      );
    };

    /** Says why; apart from `follows` because it is needed for broken events only. */
    const explain = ({ source, stored, digest, body }: Link): void => {
      const tail = tails[source];
      const at = `${names[source]}, event ${String(tail.revision + 1)}`;
      faults.differ(`${at}: hash`, stored.hash, digest);
      if (body === null) {
        faults.add(`${at}: the stored bytes are no event`);
        return;
      }
      faults.differ(`${at}: stream`, body.stream, names[source]);
      faults.differ(`${at}: revision`, body.revision, tail.revision + 1);
      faults.differ(`${at}: prev`, body.metadata.prev, tail.hash);
      for (const field of ['stream', 'revision', 'id', 'type'] as const)
        faults.differ(`${at}: the log's ${field}`, stored[field], body[field]);
    };

    return {
      link: (link) => {
        if (!follows(link)) explain(link);
        const tail = tails[link.source];
        tail.revision += 1;
        tail.hash = link.digest;
      },
      conclude: () => {
        // A finding of version 1 rests on no look that was counted over studies.
        const ofData: readonly Source[] = look === null ? [] : ['data'];
        for (const source of ['run', 'study', 'finding', ...ofData] as const)
          if (tails[source].revision < 0) faults.add(`${names[source]} has no events`);
        const count = (source: Source): string =>
          counted(tails[source].revision + 1, `${source} event`);
        return faults.outcome(
          (['run', 'study', 'finding', ...ofData] as const).map(count).join(', '),
        );
      },
    };
  },
};
