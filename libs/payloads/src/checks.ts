import 'reflect-metadata';
import { plainToInstance, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  ValidateBy,
  ValidateNested,
  validateSync,
} from 'class-validator';
import { SHA256_HEX } from '#libs/kernel';

/** The members of the payload classes: every one says what it is, how long at most, and which form. */

type Shape = new () => object;

const all =
  (...decorators: readonly PropertyDecorator[]): PropertyDecorator =>
  (target, key) => {
    for (const decorate of decorators) decorate(target, key);
  };

/** Longest list in an event. */
const LONGEST_LIST = 10_000;

/** Git object id. */
export const Oid = () => Matches(/^[0-9a-f]{40}$/);
/** SHA-256 in hex. */
export const Sha256 = () => Matches(SHA256_HEX);
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
/** An opaque id: never a sentence, never a path. */
export const Id = () => Matches(ID);
/** Text of 1 to `longest` UTF-16 units. */
export const Text = (longest: number) => all(IsString(), Length(1, longest));
/**
 * Words that the harness composes of what it found, maybe none. As long as an event allows: were they cut short
 * here, whoever makes them long could keep the harness from recording a halt.
 */
export const Words = () => all(IsString(), Length(0, 500_000));
/** Path of a file or folder, relative. */
export const Path = () => Text(4096);
export const Flag = () => IsBoolean();

/** A finite number, not below `least`. */
export const Finite = (least = -Number.MAX_VALUE) => all(IsNumber(), Min(least));
/** A whole number that a double holds exactly. */
export const Whole = (least = Number.MIN_SAFE_INTEGER) =>
  all(IsInt(), Min(least), Max(Number.MAX_SAFE_INTEGER));
/** A whole number from 0. */
export const Count = () => Whole(0);
/** A whole number from 1. */
export const Ordinal = () => Whole(1);

/** Every member of a union of texts: the compiler asks for all of them and takes no other. */
export const every = <T extends string>(members: Readonly<Record<T, true>>): readonly T[] =>
  Object.keys(members) as T[];

/** One of these values. */
export const OneOf = (values: readonly (string | number)[]) => IsIn(values);

const List = (longest: number) => all(IsArray(), ArrayMaxSize(longest));

export const Ids = () => all(List(LONGEST_LIST), Matches(ID, { each: true }));
export const Texts = (longest: number) =>
  all(List(LONGEST_LIST), IsString({ each: true }), Length(1, longest, { each: true }));
/** A list of {@link Words}. */
export const WordList = () =>
  all(List(LONGEST_LIST), IsString({ each: true }), Length(0, 500_000, { each: true }));
export const Finites = () => all(List(LONGEST_LIST), IsNumber({}, { each: true }));

/** An object of this class; never a list, which `@ValidateNested` alone would also take. */
export const Nested = (shape: () => Shape) => all(IsObject(), ValidateNested(), Type(shape));
export const NestedList = (shape: () => Shape) =>
  all(List(LONGEST_LIST), IsObject({ each: true }), ValidateNested({ each: true }), Type(shape));

/** A rule of its own, for each entry of a list with `each`. */
export const Fulfils = (
  name: string,
  rule: (value: unknown) => boolean,
  expected: string,
  { each = false } = {},
) =>
  ValidateBy(
    { name, validator: { validate: rule, defaultMessage: () => `$property must be ${expected}` } },
    { each },
  );

const fits = (shape: Shape, value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  validateSync(plainToInstance(shape, value), { whitelist: true, forbidNonWhitelisted: true })
    .length === 0;

/** A union of shapes: the value fits one of them. */
export const FitsOne = (...shapes: readonly Shape[]) =>
  Fulfils(
    'fitsOne',
    (value) => shapes.some((shape) => fits(shape, value)),
    `one of ${shapes.map(({ name }) => name).join(', ')}`,
  );
/** A list of such values. */
export const EachFitsOne = (...shapes: readonly Shape[]) =>
  all(
    List(LONGEST_LIST),
    Fulfils(
      'eachFitsOne',
      (value) => shapes.some((shape) => fits(shape, value)),
      `a list of ${shapes.map(({ name }) => name).join(', ')}`,
      { each: true },
    ),
  );

const isScalar = (value: unknown): boolean =>
  typeof value === 'number' ||
  typeof value === 'boolean' ||
  (typeof value === 'string' && value.length <= 4096);

/** A list of texts, numbers and truth values. */
export const Scalars = () =>
  all(
    List(LONGEST_LIST),
    Fulfils('scalars', isScalar, 'a list of texts, numbers and truth values', { each: true }),
  );

/** A flat record of at most 200 texts, numbers, truth values and nulls, under any names. */
export const ScalarRecord = () =>
  all(
    IsObject(),
    Fulfils(
      'scalarRecord',
      (value) => {
        const members = Object.entries(value ?? {});
        return (
          members.length <= 200 &&
          members.every(
            ([key, member]) => key.length <= 100 && (member === null || isScalar(member)),
          )
        );
      },
      'a flat record of texts, numbers, truth values and nulls',
    ),
  );
