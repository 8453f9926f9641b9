import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ResponseObject } from 'openapi3-ts/oas31';
import { DEFAULT_LIMITS } from '../../src/config/limits.ts';
import { openApiDocument } from '../../src/openapi/document.ts';
import { commonHeaders } from '../../src/openapi/components.ts';

/** A response with its body, and the request that it answers. */
export interface ReceivedResponse {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

const PREFIX = '/api';
const MAX_LISTED = 12;

const document = openApiDocument({ limits: DEFAULT_LIMITS, authLevel: 'function' });

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true, discriminator: true });
ajv.addVocabulary(Object.keys(document)); // Ajv treats the whole document as a schema
ajv.addFormat('uuid', /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/);
ajv.addFormat('date-time', (text) => new Date(text).toJSON() === text);
ajv.addFormat('uri', (text) => URL.canParse(text));
ajv.addSchema(withoutMappings(document), 'openapi', false, false);

/**
 * Checks a response against the OpenAPI document.
 * @throws {Error} that lists what differs: the path, the method, the status, the Content-Type, headers or members
 */
export function conforms(response: ReceivedResponse): void {
  const differences = differencesOf(response);
  if (differences.length === 0) return;
  const { method, url, status, text } = response;
  const listed = differences.slice(0, MAX_LISTED).join('\n  ');
  throw new Error(
    `${method} ${new URL(url).pathname} answered ${status}, which differs from openapi.json:\n  ${listed}\n${text.slice(0, 500)}`,
  );
}

function differencesOf({ method, url, status, headers, text }: ReceivedResponse): string[] {
  const path = documentedPath(new URL(url).pathname.replace(PREFIX, ''));
  const operations = document.paths?.[path] ?? {};
  const { responses } = { GET: operations.get, POST: operations.post, DELETE: operations.delete }[method] ?? {};
  const response: ResponseObject | undefined = responses?.[status];
  if (!response) return [`there is no ${method} ${path} with ${status}`];
  const pointer = ['paths', path, method.toLowerCase(), 'responses', String(status)];
  return [...headerDifferences(response, headers), ...bodyDifferences(response, pointer, headers, text)];
}

/** Returns the path as it is in the document, such as `/jobs/{id}`. */
function documentedPath(path: string): string {
  if (document.paths?.[path]) return path;
  const templates = Object.keys(document.paths ?? {}).filter((template) => template.includes('{'));
  const matches = (template: string): boolean => new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path);
  return templates.find(matches) ?? path;
}

function headerDifferences({ headers: documented = {} }: ResponseObject, headers: Headers): string[] {
  return Object.keys(documented).flatMap((name) => {
    const value = headers.get(name);
    if (value === null) return commonHeaders[name]?.required ? [`header ${name} is missing`] : [];
    return violations(['components', 'headers', name, 'schema'], value, `header ${name}`);
  });
}

function bodyDifferences(
  { content }: ResponseObject,
  pointer: readonly string[],
  headers: Headers,
  text: string,
): string[] {
  if (!content) return text === '' ? [] : ['there should be no body'];
  const type = headers.get('content-type')?.split(';', 1)[0] ?? '';
  if (!content[type]) return [`the Content-Type is "${type}" and not ${Object.keys(content).join(' or ')}`];
  const schema = [...pointer, 'content', type, 'schema'];
  if (type === 'text/event-stream') return violations([...schema, 'contentSchema'], eventsOf(text), 'events');
  if (type === 'application/x-ndjson')
    return text
      .split('\n')
      .filter(Boolean)
      .flatMap((line) => violations(schema, JSON.parse(line), 'line'));
  return violations(schema, type.endsWith('json') ? JSON.parse(text) : text, 'body');
}

function violations(pointer: readonly string[], value: unknown, what: string): string[] {
  const fragment = pointer.map((key) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
  const validate = ajv.getSchema(`openapi#/${fragment}`);
  if (!validate) throw new Error(`openapi.json has no schema at ${pointer.join(' ')}`);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${what}${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

/** Removes the mappings of discriminators. Ajv derives them itself and rejects them in a schema. */
function withoutMappings(value: object): object {
  return JSON.parse(
    JSON.stringify(value, (key, member: unknown) => (key === 'mapping' ? undefined : member)),
  ) as object;
}

/** Parses events and their data: https://html.spec.whatwg.org/multipage/server-sent-events.html */
function eventsOf(text: string): object[] {
  return text.split('\n\n').flatMap((block) => {
    const fields = new Map(
      block
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart()]),
    );
    const data = fields.get('data');
    if (data === undefined) return []; // only a comment
    return [{ event: fields.get('event') ?? 'message', data: data === '[DONE]' ? data : JSON.parse(data) }];
  });
}
