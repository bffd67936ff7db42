import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEventStoreDouble, type EventStoreDouble } from './event-store-double.ts';
import { perform, type Exchange } from './perform.ts';
import { SCRIPT } from './script.ts';

const recorded = JSON.parse(readFileSync(new URL('./exchanges.json', import.meta.url), 'utf8')) as {
  readonly serverVersion: string;
  readonly exchanges: readonly Exchange[];
};

describe(`the double answers as version ${recorded.serverVersion} was seen to answer`, () => {
  let double: EventStoreDouble;
  let performed: readonly Exchange[];

  beforeAll(async () => {
    double = await startEventStoreDouble();
    performed = await perform(`127.0.0.1:${double.port}`, SCRIPT);
  });
  afterAll(() => double.stop());

  it('to every step of the script', () => {
    expect(recorded.exchanges.map(({ step }) => step)).toEqual(JSON.parse(JSON.stringify(SCRIPT)));
  });

  it.each(
    recorded.exchanges.map((exchange, index) => [index, exchange.step.ask, exchange] as const),
  )('step %i, %s', (index, _ask, { step, replies }) => {
    expect({ step, replies: performed[index]!.replies }).toEqual({ step, replies });
  });
});
