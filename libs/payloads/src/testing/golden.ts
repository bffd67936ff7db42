import { readdirSync, readFileSync } from 'node:fs';
import { parseBody } from '#libs/event-log';
import type { StoredEvent } from '#libs/kernel';

const FOLDER = new URL('../../../../test/golden/', import.meta.url);

export const goldenBytes = (file: string): Uint8Array => readFileSync(new URL(file, FOLDER));

/** Names of the golden logs. */
export const goldenFiles = (): readonly string[] =>
  readdirSync(FOLDER)
    .filter((name) => name.endsWith('.jsonl'))
    .sort();

/** The stored events of a golden log. */
export const storedEvents = (file: string): readonly StoredEvent[] =>
  new TextDecoder()
    .decode(goldenBytes(file))
    .trimEnd()
    .split('\n')
    .map((line, position) => {
      const { hash, canonical: text } = JSON.parse(line) as { hash: string; canonical: string };
      const canonical = new TextEncoder().encode(text);
      const { stream, revision, id, type } = parseBody(canonical);
      return { position, stream, revision, id, type, hash, canonical };
    });
