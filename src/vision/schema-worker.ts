import { parentPort } from 'node:worker_threads';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { CheckRequest, CheckResult, SchemaFault } from './schema-checker.ts';

/**
 * The thread that compiles callers' schemas and checks answers against them. Both can take for ever, whatever bounds a
 * schema keeps, so they happen where they can be ended.
 */

/** Compiled schemas are kept, so that an answer is checked without compiling again. */
const MAX_KEPT = 50;
/** Somebody has to read them. */
const MAX_FAULTS = 10;

const OPTIONS = { strict: false, validateFormats: false, logger: false, allErrors: true } as const;

/** Knows what a schema looks like. Each schema is compiled by another, so that none is mixed up with the last one. */
const ofSchemas = new Ajv2020(OPTIONS);
const kept = new Map<string, Compiled>();

type Compiled = { readonly check: (value: unknown) => boolean } | { readonly faults: readonly SchemaFault[] };

parentPort?.on('message', ({ schema, answer }: CheckRequest) => parentPort?.postMessage(run(schema, answer)));
// The first schema costs more than others. Its caller need not pay for that.
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
 * Compiles a JSON Schema (2020-12, and what older drafts share with it).
 * Its regular expressions are not run: most are written for other engines, and the service has its own check.
 */
function compile(schema: Record<string, unknown>): Compiled {
  // This checker has no copy of an older draft, by which a schema may name itself.
  const { $schema: _draft, $id: _id, ...own } = schema;
  if (!ofSchemas.validateSchema(own)) {
    const errors = (ofSchemas.errors ?? []).slice(0, MAX_FAULTS);
    return {
      faults: errors.map(({ instancePath, message = 'is wrong' }) => ({ field: `schema${instancePath}`, message })),
    };
  }
  if (JSON.stringify(own).includes('"patternProperties"'))
    return unusable('uses patternProperties, which structured output does not know');
  const ajv = new Ajv2020({ ...OPTIONS, validateSchema: false, meta: false });
  ajv.removeKeyword('pattern');
  try {
    const check = ajv.compile(own);
    check({}); // a schema that refers to itself for ever does so here
    return { check: (value) => check(value) };
  } catch {
    return unusable('cannot be used: a $ref in it leads nowhere, or back to itself');
  }
}

function satisfies(check: (value: unknown) => boolean, answer: string): boolean {
  try {
    return check(JSON.parse(answer));
  } catch {
    return false; // a schema that refers to itself for ever where only this answer leads it
  }
}

function unusable(message: string): Compiled {
  return { faults: [{ field: 'schema', message }] };
}
