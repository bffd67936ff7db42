import { IsDateString, IsInt, IsString } from 'class-validator';
import { Type } from 'class-transformer';
import { describe, expect, it } from 'vitest';
import { noted } from './event-log.contract.ts';
import { eventTypes, type EventType } from './event-types.ts';
import { UnknownEventVersion } from './errors.ts';

class Counted {
  @IsInt() @Type(() => Number) count!: number;
  @IsString() unit = 'pieces';
}

class Dated {
  @IsDateString() on!: string;
}

const free = (type: string, version: number, upcasters: EventType['upcasters']): EventType => ({
  type,
  version,
  payload: null,
  upcasters,
});

describe('the registry of event types', () => {
  it('throws when the list contradicts itself', () => {
    expect(() => eventTypes([free('A', 1, []), free('A', 1, [])])).toThrow('declared twice');
    expect(() => eventTypes([free('A', 3, [(data) => data])])).toThrow('needs 2');
    expect(() => eventTypes([free('A', 0, [])])).toThrow('count from 1');
  });

  it('upcasts step by step from the version that it finds', () => {
    const types = eventTypes([
      free('A', 3, [
        (data: { one: number }) => ({ two: data.one + 1 }),
        (data: { two: number }) => ({ three: data.two + 1 }),
      ]),
    ]);
    expect(types.upcast('A', 1, { one: 1 })).toEqual({ three: 3 });
    expect(types.upcast('A', 2, { two: 5 })).toEqual({ three: 6 });
    expect(types.upcast('A', 3, { three: 9 })).toEqual({ three: 9 });
    for (const version of [0, 4, 1.5]) {
      expect(() => types.upcast('A', version, {})).toThrow(UnknownEventVersion);
    }
    expect(() => types.upcast('B', 1, {})).toThrow('does not know the type');
  });

  it('lets no default and no conversion of a payload class hide a fault', () => {
    const types = eventTypes([{ type: 'Noted', version: 1, payload: Counted, upcasters: [] }]);
    const problems = (data: unknown) => types.problems(noted('a', data), 'event');
    expect(problems({ count: 1, unit: 'pieces' })).toEqual([]);
    expect(problems({ count: '1', unit: 'pieces' })[0]!.message).toContain('changed by reading');
    expect(problems({ count: 1 })[0]!.message).toContain('changed by reading');
  });

  it('does not change the payload', () => {
    const types = eventTypes([{ type: 'Noted', version: 1, payload: Dated, upcasters: [] }]);
    const data = Object.freeze({ on: '2026-01-01', extra: 1 });
    expect(types.problems(noted('a', data), 'event')).toEqual([
      { path: 'event.data.extra', message: 'property extra should not exist' },
    ]);
    expect(data).toEqual({ on: '2026-01-01', extra: 1 });
  });
});
