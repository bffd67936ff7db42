import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EventLog } from '#libs/event-log';

/** An event of the log, with the position of the one before it, by which it is found again. */
export interface Place {
  readonly before: number;
  readonly position: number;
  readonly id: string;
}

/** Before the log's first event. */
export const START: Place = { before: 0, position: 0, id: '' };

/** The event up to which nothing is owed any more: it shortens a start, and without it the whole log is read. */
export interface MarkFile {
  /** The log's start, unless the event that is marked stands where it stood: the log may be another, or restored. */
  read(): Promise<Place>;
  write(place: Place): Promise<void>;
}

export const markFile = (folder: string, log: Pick<EventLog, 'readStored'>): MarkFile => {
  const path = join(folder, 'settled-before');
  return {
    read: async () => {
      const text = await readFile(path, 'utf8').catch(() => '');
      const [, before, position, id = ''] =
        /^(\d{1,16}) (\d{1,16}) (\S{1,100})\n$/.exec(text) ?? [];
      const place = { before: Number(before), position: Number(position), id };
      if (id === '') return START;
      for await (const found of log.readStored({ after: place.before, limit: 1 }))
        if (found.position === place.position && found.id === id) return place;
      return START;
    },
    write: async ({ before, position, id }) => {
      // Runners on several hosts may share the folder, and a process id.
      const draft = `${path}.${randomUUID()}`;
      await writeFile(draft, `${before} ${position} ${id}\n`);
      await rename(draft, path);
    },
  };
};
