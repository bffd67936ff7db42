import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { FACETS_SCHEMA, openLineageOf } from './openlineage.ts';
import { ACCEPTED, EVERY_EVIDENCE, textOf, VERIFIED } from './testing/evidence.ts';

type Facet = Readonly<Record<string, unknown>> & {
  readonly _producer: string;
  readonly _schemaURL: string;
};
type Facets = Readonly<Record<string, Facet>>;
interface Dataset {
  readonly namespace: string;
  readonly name: string;
  readonly facets: Facets;
}
interface RunEvent {
  readonly eventType: string;
  readonly eventTime: string;
  readonly producer: string;
  readonly schemaURL: string;
  readonly run: { readonly runId: string; readonly facets: Facets };
  readonly job: { readonly namespace: string; readonly name: string; readonly facets: Facets };
  readonly inputs: readonly Dataset[];
  readonly outputs: readonly Dataset[];
}

/** The validator that Fastify brings along. */
const load = createRequire(createRequire(import.meta.url).resolve('@fastify/ajv-compiler'));
interface Validator {
  addSchema(schema: object): void;
  compile(schema: object): { (value: unknown): boolean; readonly errors?: unknown };
  getSchema(name: string): ReturnType<Validator['compile']> | undefined;
}
const { Ajv2020 } = load('ajv/dist/2020') as { Ajv2020: new (options: object) => Validator };
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema(
  JSON.parse(
    readFileSync(
      new URL('../../../docs/reference/openlineage-facets.json', import.meta.url),
      'utf8',
    ),
  ) as object,
);

const eventsOf = (bytes: Uint8Array): readonly RunEvent[] =>
  JSON.parse(textOf(bytes)) as RunEvent[];

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe.each(Object.entries(EVERY_EVIDENCE))('OpenLineage of %s', (_, evidence) => {
  const events = eventsOf(openLineageOf(evidence));

  it('is run events of spec 2-0-2, in the order of their times', () => {
    for (const event of events) {
      expect(event.schemaURL).toBe(
        'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent',
      );
      expect(event.run.runId).toMatch(UUID);
      expect(new Date(event.eventTime).toISOString()).toBe(event.eventTime);
      expect(URL.canParse(event.producer)).toBe(true);
    }
  });

  it('starts each run once and first, and ends it at most once', () => {
    const runs = Map.groupBy(events, ({ run }) => run.runId);
    for (const [, own] of runs) {
      const types = own.map(({ eventType }) => eventType);
      expect(types[0]).toBe('START');
      expect(types.filter((type) => type === 'START')).toHaveLength(1);
      expect(
        types.filter((type) => ['COMPLETE', 'FAIL', 'ABORT'].includes(type)).length,
      ).toBeLessThanOrEqual(1);
    }
  });

  it('gives every facet its producer and its schema, and keeps to the schema of our own', () => {
    const facets = events.flatMap(({ run, job, inputs, outputs }) =>
      [run, job, ...inputs, ...outputs].flatMap((one) => Object.entries(one.facets)),
    );
    for (const [name, facet] of facets) {
      expect(URL.canParse(facet._producer)).toBe(true);
      expect(facet._schemaURL.startsWith(FACETS_SCHEMA)).toBe(name.startsWith('holdfast_'));
      if (!name.startsWith('holdfast_')) {
        expect(facet._schemaURL).toMatch(
          /^https:\/\/openlineage\.io\/spec\/facets\/\d+-\d+-\d+\/(\w+)\.json#\/\$defs\/\1$/,
        );
        continue;
      }
      const validate = ajv.getSchema(facet._schemaURL) ?? ajv.compile({ $ref: facet._schemaURL });
      expect([name, validate(facet), validate.errors ?? null]).toEqual([name, true, null]);
    }
  });
});

it('tells how trainings ended: COMPLETE, FAIL with its failure, ABORT', () => {
  const events = eventsOf(openLineageOf(ACCEPTED));
  const ofTrainings = events.filter(({ job }) => job.name.endsWith('.training'));
  const count = (type: string) => ofTrainings.filter(({ eventType }) => eventType === type).length;
  expect([count('FAIL'), count('ABORT')]).toEqual([1, 1]);
  expect(count('START')).toBe(count('COMPLETE') + 2);
  const failed = ofTrainings.find(({ eventType }) => eventType === 'FAIL');
  expect(failed?.run.facets['holdfast_failure']).toMatchObject({ failure: expect.any(String) });
});

it('has the trainings below the loop, reading what it released and writing predictions', () => {
  const events = eventsOf(openLineageOf(VERIFIED));
  const [loop] = events;
  const training = events.find(
    ({ job, eventType }) => job.name === 'pay.training' && eventType === 'COMPLETE',
  );
  expect(loop?.job.name).toBe('pay.loop');
  expect(training?.run.facets['parent']).toMatchObject({
    run: { runId: loop?.run.runId },
    job: { name: 'pay.loop' },
  });
  const released = loop?.outputs.map(({ name }) => name) ?? [];
  expect(released).toHaveLength(2);
  expect(training?.inputs.map(({ name }) => name)).toEqual(expect.arrayContaining(released));
  expect(training?.outputs).toHaveLength(1);
});
