import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { Role } from '#libs/kernel';
import { PERMISSIONS, type OperationId } from '../access/permissions.ts';
import { PROBLEMS, problemType, type ProblemCode } from '../problems/problems.ts';

/** One operation of the document, as far as it is looked at here. */
export interface Route {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly kind: string;
}

type Operation = Record<string, unknown> & {
  operationId: string;
  responses: Record<string, unknown>;
  parameters?: { name: string; in: string }[];
  requestBody?: unknown;
};

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

const operationsOf = (document: OpenAPIObject): readonly [string, string, Operation][] =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => METHODS.includes(method))
      .map(([method, operation]): [string, string, Operation] => [
        path,
        method,
        operation as unknown as Operation,
      ]),
  );

export const routesOf = (document: OpenAPIObject): readonly Route[] =>
  operationsOf(document).map(([path, method, operation]) => ({
    id: operation.operationId,
    method,
    path,
    kind: String(operation['x-holdfast-kind']),
  }));

const PROBLEM_SCHEMA = {
  type: 'object',
  description: 'Problem details (RFC 9457).',
  required: ['type', 'title', 'status', 'detail', 'instance', 'correlationId'],
  properties: {
    type: {
      type: 'string',
      description: 'Which problem; it never changes',
      enum: Object.keys(PROBLEMS).map((code) => problemType(code as ProblemCode)),
    },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: {
      type: 'string',
      description: 'What was found, what was expected and what to do',
    },
    instance: { type: 'string', description: 'The path that was asked for' },
    correlationId: { type: 'string', description: "Under which the server's log says more" },
    errors: {
      type: 'array',
      description: 'Everything that is wrong with the request, at once',
      items: {
        type: 'object',
        required: ['detail'],
        properties: {
          pointer: { type: 'string', description: 'JSON pointer (RFC 6901) into the body' },
          parameter: { type: 'string', description: 'Name of a parameter or header' },
          detail: { type: 'string' },
        },
      },
    },
  },
};

const EVERYWHERE: readonly ProblemCode[] = [
  'headers-too-large',
  'url-too-long',
  'request-timeout',
  'request-invalid',
  'unexpected',
  'ledger-damaged',
  'unavailable',
  'stopping',
  'took-too-long',
];
const WITH_TOKEN: readonly ProblemCode[] = ['unauthenticated', 'forbidden'];
const WITH_BODY: readonly ProblemCode[] = ['body-too-large', 'content-type-unsupported'];
const OF_COMMANDS: readonly ProblemCode[] = ['idempotency-key-reused', 'lost-race'];

/** Answers that several operations share, by name. */
type Shared = Map<string, unknown>;

/** The answers by status for these problems; each set of problems is described once. */
const problemResponses = (
  codes: readonly ProblemCode[],
  shared: Shared,
): Record<string, unknown> => {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of new Set(codes)) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => {
      const name = [status, ...list].join('.');
      shared.set(name, responseFor(status, list));
      return [status, { $ref: `#/components/responses/${name}` }];
    }),
  );
};

const responseFor = (status: number, list: readonly ProblemCode[]) => ({
  description: list.map((code) => `${PROBLEMS[code].title} (\`${problemType(code)}\`)`).join('; '),
  headers: {
    'X-Request-Id': { $ref: '#/components/headers/CorrelationId' },
    ...(status === 503 && { 'Retry-After': { schema: { type: 'integer' } } }),
    ...(status === 401 && { 'WWW-Authenticate': { schema: { type: 'string' } } }),
  },
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

/** To whoever holds the same answer already. */
const UNCHANGED = { description: 'What If-None-Match names is still the answer' };

const KEY_PARAMETER = {
  name: 'Idempotency-Key',
  in: 'header',
  required: true,
  description:
    'Names this command; a retry repeats it and is given the same answer, without a second event. A UUID will do. The same key with other content is refused, but for a reason that a person gives: the first one stands, and is what is answered.',
  schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$', minLength: 1, maxLength: 255 },
  example: '0b7c1c58-8a2f-4c0b-9a54-4a3c1d7c2e11',
};

/** Completes an operation with what the code says of it elsewhere: who may call it, what it may refuse. */
const complete = (operation: Operation, shared: Shared): void => {
  const roles: 'public' | readonly Role[] | undefined =
    PERMISSIONS[operation.operationId as OperationId];
  const kind = operation['x-holdfast-kind'];
  const refusals = operation['x-holdfast-refusals'] as readonly ProblemCode[];
  delete operation['x-holdfast-refusals'];
  operation['x-holdfast-roles'] = roles === 'public' ? [] : [...roles];
  operation['security'] = roles === 'public' ? [] : [{ bearer: [] }];
  if (kind === 'command') operation.parameters = [...(operation.parameters ?? []), KEY_PARAMETER];
  const problems = problemResponses(
    [
      ...EVERYWHERE,
      ...(roles === 'public' ? [] : WITH_TOKEN),
      ...(operation.requestBody === undefined ? [] : WITH_BODY),
      ...(kind === 'command' ? OF_COMMANDS : []),
      ...refusals,
    ],
    shared,
  );
  // What the operation says itself of a status stands.
  operation.responses = {
    ...problems,
    ...(kind === 'read' && operation['x-holdfast-streams'] !== true && { 304: UNCHANGED }),
    ...operation.responses,
  };
  for (const response of Object.values(
    operation.responses as Record<string, { description?: string }>,
  ))
    if (response.description === '') response.description = String(operation['summary']);
};

/** The description of the API, made from its controllers. */
export const documentOf = (app: INestApplication, version: string): OpenAPIObject => {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Holdfast')
    .setDescription(
      'The ledger of autonomous ML research: studies, runs, what was changed and why, findings and their verdicts. Times are RFC 3339; answers are in UTC. Errors are problem details (RFC 9457). Lists are pages: follow `next`, or the Link header.',
    )
    .setVersion(version)
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addBearerAuth(
      {
        type: 'http',
        scheme: 'bearer',
        description:
          'An access token of the configured OpenID Connect provider, or a local one made by `holdfast token create`.',
      },
      'bearer',
    )
    .build();
  const document = SwaggerModule.createDocument(app, config, { autoTagControllers: false });
  const shared: Shared = new Map();
  for (const [, , operation] of operationsOf(document)) complete(operation, shared);
  document.components = {
    ...document.components,
    headers: {
      CorrelationId: {
        description: "The caller's X-Request-Id or trace, or a new one",
        schema: { type: 'string' },
      },
    },
    responses: Object.fromEntries(shared) as never,
    schemas: { ...document.components?.schemas, Problem: PROBLEM_SCHEMA as never },
  };
  return document;
};

/**
 * Throws unless table and routes name the same operations, each once: a route that nobody thought about must not be
 * open to anybody.
 */
export const assertPermitted = (
  routes: readonly Pick<Route, 'id' | 'path'>[],
  table: Readonly<Record<string, unknown>> = PERMISSIONS,
): void => {
  const ids = routes.map(({ id }) => id);
  const wrong = [
    ...routes.filter(({ id }) => !Object.hasOwn(table, id)).map(({ path }) => `${path} has no row`),
    ...Object.keys(table)
      .filter((id) => !ids.includes(id))
      .map((id) => `${id} has no route`),
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${id} is there twice`),
  ];
  if (wrong.length > 0)
    throw new Error(`the table of permissions and the routes disagree: ${wrong.join('; ')}`);
};
