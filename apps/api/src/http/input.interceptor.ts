import {
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { PARAMTYPES_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { plainToInstance } from 'class-transformer';
import { validate, type ValidationError } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { ProblemFound, type InputError } from '../problems/problems.ts';
import { boundsProblem, type Fault } from './bounds.ts';
import { IDEMPOTENCY_KEY, keyProblem } from './idempotency.ts';
import { cardOf } from './operation.ts';

/** Where a controller's argument comes from (Nest's RouteParamtypes, which it doesn't export as values). */
const SOURCES = { 3: 'body', 4: 'query', 5: 'params' } as const;
type Source = (typeof SOURCES)[keyof typeof SOURCES];

type Shape = new () => object;

class Nothing {}

/**
 * Checks path, query, headers and body together, so that everything that is wrong with a request is said at once; the
 * framework's own pipes would stop at the first part. What no class asks for is refused.
 */
@Injectable()
export class InputInterceptor implements NestInterceptor {
  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const handler = context.getHandler();
    const shapes = shapesOf(context.getClass(), handler.name);
    const errors: InputError[] = [];
    if (cardOf(handler).kind === 'command') {
      const problem = keyProblem(request.headers[IDEMPOTENCY_KEY]);
      if (problem !== null) errors.push({ parameter: 'Idempotency-Key', detail: problem });
    }
    for (const source of ['params', 'query', 'body'] as const) {
      // None at all says as much as `{}`; a `null` is something else.
      const given = request[source] === undefined ? {} : request[source];
      const checked = await check(shapes[source] ?? Nothing, given);
      errors.push(...checked.errors.map(place(source)));
      Object.assign(request, { [source]: checked.value });
    }
    if (errors.length > 0)
      throw new ProblemFound(
        'request-invalid',
        `the request has ${errors.length === 1 ? 'a problem' : `${errors.length} problems`}; nothing was done`,
        { errors: errors.slice(0, MOST_ERRORS) },
      );
    return next.handle();
  }
}

/** Problems beyond these are not listed. */
const MOST_ERRORS = 100;

const check = async (
  shape: Shape,
  given: unknown,
): Promise<{ readonly value: unknown; readonly errors: readonly Fault[] }> => {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return { value: given, errors: [{ path: [], detail: 'must be an object' }] };
  // Before the validator: it walks whatever it is given, and takes names of Object's own for known ones.
  const outOfBounds = boundsProblem(given);
  if (outOfBounds !== null) return { value: given, errors: [outOfBounds] };
  const value = plainToInstance(shape, given, { exposeDefaultValues: true });
  const errors = await validate(value, {
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: false,
    // The first thing that is wrong with a member: a text is not also too small a number.
    stopAtFirstError: true,
    validationError: { target: false, value: false },
  });
  return { value, errors: errors.flatMap((error) => faults(error, [])) };
};

const faults = (error: ValidationError, above: readonly string[]): readonly Fault[] => {
  const path = [...above, error.property];
  return [
    ...Object.entries(error.constraints ?? {}).map(([name, detail]) => ({
      path,
      detail: name === 'whitelistValidation' ? 'is not known here' : detail,
    })),
    ...(error.children ?? []).flatMap((child) => faults(child, path)),
  ];
};

const place =
  (source: Source) =>
  ({ path, detail }: Fault): InputError =>
    source === 'body'
      ? {
          pointer: path
            .map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`)
            .join(''),
          detail,
        }
      : { parameter: path.join('.'), detail };

/** The classes of a controller's arguments, as the compiler noted them. */
const shapesOf = (controller: Shape, method: string): Partial<Record<Source, Shape>> => {
  const args = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, method) ?? {}) as Readonly<
    Record<string, { readonly index: number; readonly data?: unknown }>
  >;
  const types = Reflect.getMetadata(
    PARAMTYPES_METADATA,
    controller.prototype as object,
    method,
  ) as readonly Shape[];
  return Object.fromEntries(
    Object.entries(args).flatMap(([key, { index }]) => {
      const source = SOURCES[Number(key.split(':')[0]) as keyof typeof SOURCES] as
        Source | undefined;
      return source === undefined ? [] : [[source, types[index] ?? Nothing]];
    }),
  );
};
