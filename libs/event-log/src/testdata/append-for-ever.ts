import { eventLogTypes, event } from './plain-events.ts';
import { openSqliteEventLog } from '../sqlite-event-log.ts';

// Appends until it is killed; says each id once it was acknowledged. Arguments: file, stream.
const [path, stream] = process.argv.slice(2) as [string, string];
const opened = openSqliteEventLog(path, eventLogTypes);
if (!opened.ok) throw new Error(opened.error.message);
let next = 0;
for await (const { revision } of opened.value.log.readStream(stream)) next = revision + 1;
for (;;) {
  const group = [0, 1, 2].map((offset) => event(`${stream}-${next + offset}`));
  const appended = await opened.value.log.append(
    stream,
    next === 0 ? 'no-stream' : next - 1,
    group,
  );
  if (!appended.ok) throw new Error(appended.error.message);
  next += group.length;
  process.stdout.write(appended.value.events.map(({ id }) => `${id}\n`).join(''));
}
