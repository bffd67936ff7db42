import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { eventTypes, openSqliteEventLog } from '#libs/event-log';
import { openSourceTree } from '#libs/source-tree';
import type { StoredBytes } from '#libs/provenance';
import { writeGoldenLog } from './recording.ts';

/**
 * Records a run that really ran, with the git objects that it names, of a home on SQLite:
 * `npx node --conditions=source test/golden/record-run.ts test/golden/v1-pay.jsonl HOME`; never over files that are there.
 */

const [, , file, home] = process.argv;
if (file === undefined || home === undefined)
  throw new Error('name the file to write and the home');

const opened = openSqliteEventLog(join(home, 'log.sqlite'), eventTypes([]));
if (!opened.ok) throw new Error(opened.error.message);
const { log } = opened.value;
const events: StoredBytes[] = [];
for await (const event of log.readStored()) events.push(event);
await log.close();
writeGoldenLog(events);

const repository = join(home, 'objects.git');
const folder = join(repository, 'objects');
const oids = readdirSync(folder)
  .filter((name) => /^[0-9a-f]{2}$/.test(name))
  .flatMap((name) => readdirSync(join(folder, name)).map((rest) => name + rest))
  .sort();
const tree = await openSourceTree({ dir: repository });
const objects = (await tree.readObjects(oids)).map((object, at) => {
  if (object.state !== 'present') throw new Error(`${oids[at] ?? ''} can't be read`);
  const deflated = Buffer.from(deflateRawSync(object.content)).toString('base64');
  return JSON.stringify([oids[at], object.type, deflated]);
});
writeFileSync(file.replace(/\.jsonl$/, '.objects.json'), `[\n${objects.join(',\n')}\n]\n`, {
  flag: 'wx',
});
