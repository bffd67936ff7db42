import { createRequire } from 'node:module';

/** The validator that Fastify brings along (JSON Schema 2020-12, which OpenAPI 3.1 is of). */
const load = createRequire(createRequire(import.meta.url).resolve('@fastify/ajv-compiler'));
interface Validator {
  addSchema(schema: object, name: string): void;
  compile(schema: object): { (value: unknown): boolean; readonly errors?: unknown };
}
const { Ajv2020 } = load('ajv/dist/2020') as { Ajv2020: new (options: object) => Validator };

interface Described {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}
interface Operation {
  readonly responses: Readonly<Record<string, Response>>;
}
interface Response {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

/**
 * A check of answers against the document: what is wrong with one, null where it is what was described. No member that
 * the document does not know is taken.
 */
export const answerCheck = (document: object) => {
  const { paths } = document as Described;
  const strict = closed(document) as object;
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema(strict, 'api');
  const compiled = new Map<string, ReturnType<Validator['compile']>>();
  const pointer = (...steps: readonly string[]): string =>
    steps
      .map((step) => `/${encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))}`)
      .join('');

  return (
    method: string,
    url: string,
    status: number,
    type: string,
    body: unknown,
  ): string | null => {
    const path = Object.keys(paths)
      .filter((one) =>
        new RegExp(`^${one.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(url.split('?')[0] ?? ''),
      )
      .toSorted((a, b) => a.split('{').length - b.split('{').length)[0];
    if (path === undefined) return `${url} is not described`;
    const response = paths[path]?.[method]?.responses[status];
    if (response === undefined) return `${method} ${path} does not answer ${status}`;
    const at =
      response.$ref === undefined
        ? pointer('paths', path, method, 'responses', String(status))
        : response.$ref.slice(1);
    const ref = `api#${at}/content/${pointer(type).slice(1)}/schema`;
    const validate = compiled.get(ref) ?? ajv.compile({ $ref: ref });
    compiled.set(ref, validate);
    return validate(body)
      ? null
      : `${method} ${path} ${status}: ${JSON.stringify(validate.errors).slice(0, 2000)}`;
  };
};

/** The document with every object closed that lists its members. */
const closed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, closed(one)]));
  return 'properties' in members &&
    !('additionalProperties' in members) &&
    members['type'] !== undefined
    ? { ...members, additionalProperties: false }
    : members;
};
