/**
 * Asks SCRIPT of the server named by HOLDFAST_TEST_EVENTSTORE and writes what it answered to exchanges.json, which the
 * double is held to. The server must be started with its default --max-append-size.
 *
 *     HOLDFAST_TEST_EVENTSTORE='esdb://127.0.0.1:2113?tls=false' npx node --conditions=source test/doubles/event-store/record.ts
 */
import { writeFileSync } from 'node:fs';
import { EventStoreDBClient } from '@eventstore/db-client';
import { perform } from './perform.ts';
import { SCRIPT } from './script.ts';

const connection = process.env['HOLDFAST_TEST_EVENTSTORE'];
if (connection === undefined) {
  throw new Error('name the server to record in HOLDFAST_TEST_EVENTSTORE');
}
const address = /@?([^@/?]+:\d+)/.exec(connection.replace(/^esdb:\/\//, ''))?.[1];
if (address === undefined) throw new Error('the server must be one insecure node, host:port');

const client = EventStoreDBClient.connectionString(connection);
const { serverVersion } = await client['capabilities'];
const exchanges = await perform(address, SCRIPT);
writeFileSync(
  'test/doubles/event-store/exchanges.json',
  `${JSON.stringify({ serverVersion, exchanges }, null, 2)}\n`,
);
process.stdout.write(`${exchanges.length} exchanges with version ${serverVersion}\n`);
await client.dispose();
process.exit(0);
