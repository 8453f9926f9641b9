import { parentPort } from 'node:worker_threads';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { CheckRequest, CheckResult, SchemaFault } from './schema-checker.ts';

/**
 * The worker thread that compiles callers' schemas and checks answers against them. Both can take for ever, even for a
 * schema within all limits. Work in a thread can be ended.
 */

/** How many compiled schemas to keep, so that checking an answer does not compile its schema again. */
const MAX_KEPT = 50;
/** How many faults to report. A person reads them. */
const MAX_FAULTS = 10;

const OPTIONS = { strict: false, validateFormats: false, logger: false, allErrors: true } as const;

/** Validates schemas. Each schema is compiled by a new instance, so that schemas do not affect each other. */
const schemaValidator = new Ajv2020(OPTIONS);
const kept = new Map<string, Compiled>();

type Compiled = { readonly check: (value: unknown) => boolean } | { readonly faults: readonly SchemaFault[] };

parentPort?.on('message', ({ schema, answer }: CheckRequest) => parentPort?.postMessage(run(schema, answer)));
// The first compilation is slower than others, so do it before a caller waits.
compile({ type: 'object' });
parentPort?.postMessage('ready');

function run(schema: string, answer: string | undefined): CheckResult {
  const compiled = kept.get(schema) ?? compile(JSON.parse(schema));
  keep(schema, compiled);
  if ('faults' in compiled) return { faults: compiled.faults };
  return { satisfied: answer !== undefined && satisfies(compiled.check, answer) };
}

function keep(schema: string, compiled: Compiled): void {
  kept.delete(schema);
  kept.set(schema, compiled);
  const [oldest] = kept.keys();
  if (oldest !== undefined && kept.size > MAX_KEPT) kept.delete(oldest);
}

/**
 * Compiles a JSON Schema of draft 2020-12, or one of an older draft that uses only what both share. It ignores
 * `pattern`: most regular expressions are written for other engines, and the service checks them itself.
 */
function compile(schema: Record<string, unknown>): Compiled {
  // $schema may name an older draft, which this validator does not have. $id is not needed.
  const { $schema: _draft, $id: _id, ...own } = schema;
  if (!schemaValidator.validateSchema(own)) {
    const errors = (schemaValidator.errors ?? []).slice(0, MAX_FAULTS);
    return {
      faults: errors.map(({ instancePath, message = 'is wrong' }) => ({ field: `schema${instancePath}`, message })),
    };
  }
  if (JSON.stringify(own).includes('"patternProperties"'))
    return unusable('uses patternProperties, which structured output does not support');
  const ajv = new Ajv2020({ ...OPTIONS, validateSchema: false, meta: false });
  ajv.removeKeyword('pattern');
  try {
    const check = ajv.compile(own);
    check({}); // throws here if the schema refers to itself without end
    return { check: (value) => check(value) };
  } catch {
    return unusable('cannot be used: a $ref in it leads nowhere, or back to itself');
  }
}

function satisfies(check: (value: unknown) => boolean, answer: string): boolean {
  try {
    return check(JSON.parse(answer));
  } catch {
    return false; // the schema refers to itself without end, but only for this answer
  }
}

function unusable(message: string): Compiled {
  return { faults: [{ field: 'schema', message }] };
}
