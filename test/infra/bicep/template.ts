import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import * as v from 'valibot';

const ParameterDefinition = v.object({
  type: v.optional(v.string()),
  defaultValue: v.optional(v.unknown()),
  allowedValues: v.optional(v.array(v.unknown())),
  minValue: v.optional(v.number()),
  maxValue: v.optional(v.number()),
  metadata: v.optional(v.object({ azd: v.optional(v.object({ type: v.string() })) })),
});
const Compiled = v.object({
  parameters: v.optional(v.record(v.string(), ParameterDefinition), {}),
  outputs: v.optional(v.record(v.string(), v.object({ type: v.string() })), {}),
});
const Given = v.object({ parameters: v.record(v.string(), v.object({ value: v.string() })) });
const Azure = v.object({
  services: v.record(v.string(), v.object({ host: v.string(), condition: v.optional(v.string()) })),
  pipeline: v.object({ variables: v.array(v.string()) }),
});

/** The compiled template, and the files beside it that azd reads. */
export interface Template {
  /** The compiled main.bicep with all modules. */
  readonly compiled: unknown;
  readonly parameters: v.InferOutput<typeof Compiled>['parameters'];
  /** infra/main.parameters.json. */
  readonly given: v.InferOutput<typeof Given>['parameters'];
  /** azure.yaml. */
  readonly azure: v.InferOutput<typeof Azure>;
}

/** Reads the files that azd uses with main.bicep. */
export function readTemplate(root: string, compiled: unknown): Template {
  return {
    compiled,
    parameters: v.parse(Compiled, compiled).parameters,
    given: v.parse(Given, JSON.parse(readFileSync(join(root, 'infra/main.parameters.json'), 'utf8'))).parameters,
    azure: v.parse(Azure, parse(readFileSync(join(root, 'azure.yaml'), 'utf8'))),
  };
}
