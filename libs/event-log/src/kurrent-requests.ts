import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';

/** How many records the server looks at before it answers with a page or a checkpoint. */
const SEARCH_WINDOW = 4096;

const { Options } = streams.ReadReq;
const empty = (): InstanceType<typeof shared.Empty> => new shared.Empty();

export const streamIdentifier = (name: string): InstanceType<typeof shared.StreamIdentifier> =>
  new shared.StreamIdentifier().setStreamName(Buffer.from(name, 'utf8'));

const base = (): ReadReq.Options =>
  new Options()
    .setResolveLinks(false)
    .setUuidOption(new Options.UUIDOption().setString(empty()))
    // With this the server also tells where the stream begins and ends.
    .setControlOption(new Options.ControlOption().setCompatibility(1));

const counted = (options: ReadReq.Options, count: number): ReadReq.Options =>
  options.setCount(String(Math.min(count, Number.MAX_SAFE_INTEGER)));

/** Reads the stream that the server calls `name`. */
export const streamRequest = (
  name: string,
  from: number | 'end',
  direction: 'forwards' | 'backwards',
  count: number,
): ReadReq => {
  const stream = new Options.StreamOptions().setStreamIdentifier(streamIdentifier(name));
  if (from === 'end') stream.setEnd(empty());
  else stream.setRevision(String(from));
  return new streams.ReadReq().setOptions(
    counted(base(), count)
      .setStream(stream)
      .setReadDirection(direction === 'forwards' ? 0 : 1)
      .setNoFilter(empty()),
  );
};

/** Which records of the whole log: by the start of the stream's name, or all but the server's own streams. */
const filtered = (prefix: string): ReadReq.Options.FilterOptions => {
  const names = new Options.FilterOptions.Expression();
  if (prefix === '') names.setRegex('^[^$]');
  else names.addPrefix(prefix);
  return new Options.FilterOptions()
    .setStreamIdentifier(names)
    .setMax(SEARCH_WINDOW)
    .setCheckpointintervalmultiplier(1);
};

const everything = (from: number | 'start' | 'end'): ReadReq.Options.AllOptions => {
  const all = new Options.AllOptions();
  if (from === 'start') return all.setStart(empty());
  if (from === 'end') return all.setEnd(empty());
  return all.setPosition(
    new Options.Position().setCommitPosition(String(from)).setPreparePosition(String(from)),
  );
};

/** Reads the whole log, streams whose names start with `prefix` only; `''` means all but the server's own. */
export const allRequest = (
  prefix: string,
  from: number | 'start' | 'end',
  direction: 'forwards' | 'backwards',
  count: number,
): ReadReq =>
  new streams.ReadReq().setOptions(
    counted(base(), count)
      .setAll(everything(from))
      .setReadDirection(direction === 'forwards' ? 0 : 1)
      .setFilter(filtered(prefix)),
  );

/** The settings of our streams, the last ones first: the records of the server's streams `$$` + our names. */
export const settingsRequest = (prefix: string, count: number): ReadReq =>
  new streams.ReadReq().setOptions(
    counted(base(), count)
      .setAll(everything('end'))
      .setReadDirection(1)
      .setFilter(filtered(`$$${prefix}`)),
  );

/** The tombstones in the whole log, the last ones first. */
export const tombstonesRequest = (count: number): ReadReq =>
  new streams.ReadReq().setOptions(
    counted(base(), count)
      .setAll(everything('end'))
      .setReadDirection(1)
      .setFilter(
        new Options.FilterOptions()
          .setEventType(new Options.FilterOptions.Expression().setPrefixList(['$streamDeleted']))
          .setMax(SEARCH_WINDOW)
          .setCheckpointintervalmultiplier(1),
      ),
  );

/** Whether the log has a record that starts at `position`, whatever it is: the answer is that record. */
export const probeRequest = (position: number): ReadReq =>
  new streams.ReadReq().setOptions(
    counted(base(), 1).setAll(everything(position)).setReadDirection(0).setNoFilter(empty()),
  );

/** Follows the whole log from just after the record at `after`. */
export const subscriptionRequest = (prefix: string, after: number | 'start'): ReadReq =>
  new streams.ReadReq().setOptions(
    base()
      .setAll(everything(after))
      .setSubscription(new Options.SubscriptionOptions())
      .setReadDirection(0)
      .setFilter(filtered(prefix)),
  );
