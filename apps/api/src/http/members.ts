import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  ValidateBy,
  ValidateNested,
} from 'class-validator';

/** Members of what clients send: each says in one place what it is, to the validator and to the document. */

interface About {
  readonly about: string;
  readonly optional?: boolean;
  readonly example?: unknown;
}

const presence = ({ optional = false }: About): readonly PropertyDecorator[] =>
  optional ? [IsOptional()] : [];

const document = ({ about, optional = false, example }: About, more: object) =>
  ApiProperty({
    description: about,
    required: !optional,
    ...(example !== undefined && { example }),
    ...more,
  });

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** An opaque id. */
export const Id = (about: About) =>
  applyDecorators(
    ...presence(about),
    Matches(ID, { message: 'must be an id: letters, digits, ".", "_" and "-", 100 at most' }),
    document(about, { type: 'string', pattern: ID.source }),
  );

/** Text of so many characters; never blank. */
export const Words = (longest: number, about: About) =>
  applyDecorators(
    ...presence(about),
    IsString({ message: 'must be a text' }),
    Length(1, longest, { message: `must have 1 to ${longest} characters` }),
    Matches(/\S/, { message: 'must not be blank' }),
    document(about, { type: 'string', minLength: 1, maxLength: longest }),
  );

/** Text of so many characters, maybe none. */
export const Text = (longest: number, about: About) =>
  applyDecorators(
    ...presence(about),
    IsString({ message: 'must be a text' }),
    Length(0, longest, { message: `must have at most ${longest} characters` }),
    document(about, { type: 'string', maxLength: longest }),
  );

export const OneOf = (values: readonly string[], about: About) =>
  applyDecorators(
    ...presence(about),
    IsIn(values, { message: `must be one of ${values.join(', ')}` }),
    document(about, { type: 'string', enum: [...values] }),
  );

/** A whole number of a body. */
export const Whole = (least: number, most: number, about: About) =>
  applyDecorators(
    ...presence(about),
    IsInt({ message: 'must be a whole number' }),
    Min(least, { message: `must be ${least} or more` }),
    Max(most, { message: `must be ${most} or less` }),
    document(about, { type: 'integer', minimum: least, maximum: most }),
  );

/** A number of a body. */
export const Finite = (least: number, most: number, about: About) =>
  applyDecorators(
    ...presence(about),
    IsNumber({}, { message: 'must be a number' }),
    Min(least, { message: `must be ${least} or more` }),
    Max(most, { message: `must be ${most} or less` }),
    document(about, { type: 'number', minimum: least, maximum: most }),
  );

/** A whole number in a URL: digits, and nothing that a conversion would forgive. */
export const WholeInUrl = (least: number, most: number, about: About & { default?: number }) =>
  applyDecorators(
    Whole(least, most, about),
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value,
    ),
    ...(about.default === undefined
      ? []
      : [ApiProperty({ required: false, default: about.default })]),
  );

/** RFC 3339, section 5.6, with its offset: without one a time means another moment in every place. */
const MOMENT =
  /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

const isMoment = (value: unknown): boolean => {
  if (typeof value !== 'string' || !MOMENT.test(value)) return false;
  const [year, month, day] = value.slice(0, 10).split('-').map(Number);
  // Date rolls the 31st of February over into March.
  const date = new Date(Date.UTC(year ?? 0, (month ?? 1) - 1, day ?? 1));
  return date.getUTCDate() === day && !Number.isNaN(Date.parse(value));
};

/** A moment, with `Z` or an offset. */
export const Moment = (about: About) =>
  applyDecorators(
    ...presence(about),
    ValidateBy({
      name: 'moment',
      validator: {
        validate: isMoment,
        defaultMessage: () =>
          'must be a time as RFC 3339 with Z or an offset, e.g. 2026-11-23T08:00:00Z (in a URL + is %2B)',
      },
    }),
    document(about, { type: 'string', format: 'date-time' }),
  );

/** A list of objects of this class. */
export const ListOf = (shape: () => new () => object, longest: number, about: About) =>
  applyDecorators(
    ...presence(about),
    IsArray({ message: 'must be a list' }),
    ArrayMaxSize(longest, { message: `must have at most ${longest} members` }),
    ValidateNested({ each: true, message: 'must be an object' }),
    Type(shape),
    document(about, { type: shape, isArray: true, maxItems: longest }),
  );
