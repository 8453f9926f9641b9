import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ResponseObject } from 'openapi3-ts/oas31';
import { DEFAULT_LIMITS } from '../../src/config/limits.ts';
import { openApiDocument } from '../../src/openapi/document.ts';
import { commonHeaders } from '../../src/openapi/components.ts';

/** A response with its body read. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

const PREFIX = '/api';
const MOST_FAULTS_TOLD = 12;

const document = openApiDocument({ limits: DEFAULT_LIMITS, authLevel: 'function' });

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true, discriminator: true });
ajv.addVocabulary(Object.keys(document)); // Ajv takes the whole document for a schema
ajv.addFormat('uuid', /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/);
ajv.addFormat('date-time', (text) => new Date(text).toJSON() === text);
ajv.addFormat('uri', (text) => URL.canParse(text));
ajv.addSchema(withoutMappings(document), 'openapi', false, false);

/**
 * Holds a response against the OpenAPI document.
 * @throws {Error} saying what the document knows nothing of: the route, the status, the type, a header or a member
 */
export function conforms(seen: Seen): void {
  const faults = faultsOf(seen);
  if (faults.length === 0) return;
  const { method, url, status, text } = seen;
  const told = faults.slice(0, MOST_FAULTS_TOLD).join('\n  ');
  throw new Error(
    `${method} ${new URL(url).pathname} answered ${status}, which is not what openapi.json says:\n  ${told}\n${text.slice(0, 500)}`,
  );
}

function faultsOf({ method, url, status, headers, text }: Seen): string[] {
  const path = documentedPath(new URL(url).pathname.replace(PREFIX, ''));
  const operations = document.paths?.[path] ?? {};
  const { responses } = { GET: operations.get, POST: operations.post, DELETE: operations.delete }[method] ?? {};
  const response: ResponseObject | undefined = responses?.[status];
  if (!response) return [`there is no ${method} ${path} with ${status} in it`];
  const pointer = ['paths', path, method.toLowerCase(), 'responses', String(status)];
  return [...headerFaults(response, headers), ...bodyFaults(response, pointer, headers, text)];
}

/** The path as the document writes it: with the names of its parameters. */
function documentedPath(path: string): string {
  if (document.paths?.[path]) return path;
  const templates = Object.keys(document.paths ?? {}).filter((template) => template.includes('{'));
  const matches = (template: string): boolean => new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path);
  return templates.find(matches) ?? path;
}

function headerFaults({ headers: documented = {} }: ResponseObject, headers: Headers): string[] {
  return Object.keys(documented).flatMap((name) => {
    const value = headers.get(name);
    if (value === null) return commonHeaders[name]?.required ? [`header ${name} is missing`] : [];
    return violations(['components', 'headers', name, 'schema'], value, `header ${name}`);
  });
}

function bodyFaults({ content }: ResponseObject, pointer: readonly string[], headers: Headers, text: string): string[] {
  if (!content) return text === '' ? [] : ['it has a body'];
  const type = headers.get('content-type')?.split(';', 1)[0] ?? '';
  if (!content[type]) return [`its type is "${type}" and not ${Object.keys(content).join(' or ')}`];
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

/** Ajv knows discriminators, but finds what they lead to by itself and refuses to be told. */
function withoutMappings(value: object): object {
  return JSON.parse(
    JSON.stringify(value, (key, member: unknown) => (key === 'mapping' ? undefined : member)),
  ) as object;
}

/** The events of a stream with their data parsed; https://html.spec.whatwg.org/multipage/server-sent-events.html */
function eventsOf(text: string): object[] {
  return text.split('\n\n').flatMap((block) => {
    const fields = new Map(
      block
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart()]),
    );
    const data = fields.get('data');
    if (data === undefined) return []; // nothing but a comment
    return [{ event: fields.get('event') ?? 'message', data: data === '[DONE]' ? data : JSON.parse(data) }];
  });
}
