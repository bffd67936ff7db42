import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { ValidateIf, validateSync, type ValidationError } from 'class-validator';
import type { NewEvent } from '#libs/kernel';
import { UnknownEventVersion } from './errors.ts';
import { memberPath, type Problem } from './json-problems.ts';

/** What an event type is: its stable name, its newest version, what its payload must be. */
export interface EventType {
  /** The wire name, e.g. `RunOpened`; it never changes. */
  readonly type: string;
  /** The version that is written today, from 1. */
  readonly version: number;
  /**
   * A class with class-validator decorators that describes every member of the payload (nested ones with
   * `@ValidateNested` and `@Type`); null when any plain JSON will do.
   */
  readonly payload: (new () => object) | null;
  /** One step for each older version: the first makes version 2 of version 1, and so on. Pure. */
  readonly upcasters: readonly ((data: never) => unknown)[];
}

/** The event types that a program knows. */
export interface EventTypes {
  /** What keeps `event` from being written, paths starting at `root`. Never changes the payload. */
  readonly problems: (event: NewEvent, root: string) => readonly Problem[];
  /** The payload in its newest version. Throws {@link UnknownEventVersion} for what is not known. */
  readonly upcast: (type: string, version: number, data: unknown) => unknown;
}

/** A payload member that must be there, but may be null (`@IsOptional` would also let it be missing). */
export const Nullable = (): PropertyDecorator =>
  ValidateIf((_payload: object, value: unknown) => value !== null);

const problemsOf = (errors: readonly ValidationError[], path: string): readonly Problem[] =>
  errors.flatMap((error) => {
    const here = /^\d+$/.test(error.property)
      ? `${path}[${error.property}]`
      : memberPath(path, error.property);
    return [
      ...Object.values(error.constraints ?? {}).map((message) => ({ path: here, message })),
      ...problemsOf(error.children ?? [], here),
    ];
  });

/** Whether an instance says just what the plain data says; members that were declared only don't count. */
const isSame = (instance: unknown, plain: unknown): boolean => {
  if (typeof plain !== 'object' || plain === null) return instance === plain;
  if (typeof instance !== 'object' || instance === null) return false;
  const copy = instance as Record<string, unknown>;
  const original = plain as Record<string, unknown>;
  return (
    Array.isArray(copy) === Array.isArray(original) &&
    Object.keys(original).every((key) => isSame(copy[key], original[key])) &&
    Object.keys(copy).every((key) => copy[key] === undefined || Object.hasOwn(original, key))
  );
};

const payloadProblems = (
  payload: new () => object,
  data: unknown,
  path: string,
): readonly Problem[] => {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    return [{ path, message: `must be an object as ${payload.name} describes it` }];
  }
  const copy = plainToInstance(payload, data);
  const problems = problemsOf(
    validateSync(copy, {
      whitelist: true,
      forbidNonWhitelisted: true,
      forbidUnknownValues: true,
      validationError: { target: false, value: false },
    }),
    path,
  );
  if (problems.length > 0) return problems;
  // What was found good must be what is stored: a default or a conversion in the class would hide a fault.
  return isSame(copy, data)
    ? []
    : [
        {
          path,
          message: `is changed by reading it as ${payload.name}; take defaults and conversions out of that class`,
        },
      ];
};

/**
 * The registry of what may be written and can be read. Throws when the list contradicts itself.
 *
 * @example
 * ```ts
 * const types = eventTypes([
 *   { type: 'RunOpened', version: 2, payload: RunOpened, upcasters: [(v1: RunOpenedV1) => ({ ...v1, charts: [] })] },
 * ]);
 * ```
 */
export const eventTypes = (list: readonly EventType[]): EventTypes => {
  const known = new Map<string, EventType>();
  for (const entry of list) {
    if (known.has(entry.type)) throw new Error(`event type ${entry.type} is declared twice`);
    if (!Number.isInteger(entry.version) || entry.version < 1) {
      throw new Error(
        `event type ${entry.type} has version ${entry.version}; versions count from 1`,
      );
    }
    if (entry.upcasters.length !== entry.version - 1) {
      throw new Error(
        `event type ${entry.type} is at version ${entry.version} and has ${entry.upcasters.length} upcasters; it needs ${entry.version - 1}`,
      );
    }
    known.set(entry.type, entry);
  }

  return {
    problems: (event, root) => {
      const entry = known.get(event.type);
      if (entry === undefined) {
        return [
          { path: `${root}.type`, message: `is ${event.type}, which is not a known event type` },
        ];
      }
      const { schemaVersion } = event.metadata;
      if (schemaVersion !== entry.version) {
        return [
          {
            path: `${root}.metadata.schemaVersion`,
            message: `is ${schemaVersion}; ${event.type} is written in version ${entry.version}`,
          },
        ];
      }
      return entry.payload === null
        ? []
        : payloadProblems(entry.payload, event.data, `${root}.data`);
    },

    upcast: (type, version, data) => {
      const entry = known.get(type);
      if (entry === undefined) throw new UnknownEventVersion(type, version, null);
      if (!Number.isInteger(version) || version < 1 || version > entry.version) {
        throw new UnknownEventVersion(type, version, entry.version);
      }
      let newest = data;
      for (let step = version; step < entry.version; step += 1) {
        newest = entry.upcasters[step - 1]!(newest as never);
      }
      return newest;
    },
  };
};
