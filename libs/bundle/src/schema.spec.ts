import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { beforeAll, describe, expect, it } from 'vitest';
import { SEALED } from '../../kernel/src/testing/sealed-text.ts';
import {
  bundleOf,
  goldenLog,
  inTurn,
  logSigner,
  notaryFacts,
  WITNESSED,
  witnessSigner,
  type GoldenRun,
} from './testing/fixture.ts';

/** The validator that Fastify brings along (JSON Schema 2020-12). */
const load = createRequire(
  createRequire(createRequire(import.meta.url).resolve('@nestjs/platform-fastify')).resolve(
    '@fastify/ajv-compiler',
  ),
);
interface Compiled {
  (value: unknown): boolean;
  readonly errors?: unknown;
}
const { Ajv2020 } = load('ajv/dist/2020') as {
  Ajv2020: new (options: object) => { compile(schema: object): Compiled };
};

const schema = JSON.parse(
  readFileSync(new URL('../../../docs/reference/bundle-v1.schema.json', import.meta.url), 'utf8'),
) as object;
const isLine = new Ajv2020({ strict: false }).compile(schema);

const APPEND = { stream: 'run-pay-1', from: 2, to: 3, hash: 'ab'.repeat(32) };

const linesOf = async (name: GoldenRun): Promise<readonly Record<string, unknown>[]> => {
  const golden = goldenLog(name);
  const [log, next] = [logSigner(), logSigner()];
  const facts = notaryFacts(golden.events);
  const size = golden.events.length;
  const said = inTurn(
    facts.opened(log),
    (after) => facts.signed(log, 20, null, after),
    facts.rotated(log, next),
    {
      type: 'NotaryAlarmRaised',
      data: { reason: 'shorter-log', size: 20, found: '19 events', expected: '20' },
    },
    { type: 'NotaryAlarmSettled', data: { reason: SEALED } },
    ...facts.accepted(next, 5, APPEND),
    (after) => facts.signed(next, size, 20, after),
    (after) => facts.witnessed(witnessSigner(), after.at(-1)!, WITNESSED),
  );
  const { bytes } = await bundleOf(golden, { kind: 'run', id: 'pay-1' }, said);
  return new TextDecoder()
    .decode(bytes)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
};

describe.each<GoldenRun>(['v1-pay', 'v2-pay'])('the schema and a bundle of %s', (name) => {
  let lines: readonly Record<string, unknown>[];
  beforeAll(async () => {
    lines = await linesOf(name);
  });

  it('agree on every line', () => {
    for (const line of lines)
      expect(
        isLine(line),
        `${JSON.stringify(line).slice(0, 300)}: ${JSON.stringify(isLine.errors)}`,
      ).toBe(true);
  });

  it('take no line that says more or less', () => {
    for (const line of lines) {
      expect(isLine({ ...line, more: 1 })).toBe(false);
      for (const member of Object.keys(line)) {
        if (member === 'leaf') continue;
        const { [member]: _, ...less } = line;
        expect(isLine(less), `${member} of ${JSON.stringify(line).slice(0, 100)}`).toBe(false);
      }
    }
  });

  it('take nothing of the notary that is not shaped so', () => {
    const bodies = lines.flatMap(({ body }) => {
      const { stream, data } = (body ?? {}) as { stream?: string; data?: object };
      return stream === 'notary' ? [{ body: body as object, data: data ?? {} }] : [];
    });
    expect(bodies.length).toBe(9);
    for (const { body, data } of bodies)
      expect(isLine({ part: 'event', body: { ...body, data: { ...data, more: 1 } } })).toBe(false);
  });
});
