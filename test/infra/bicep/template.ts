import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const ParameterDefinition = z.object({
  type: z.string().optional(),
  defaultValue: z.unknown().optional(),
  allowedValues: z.array(z.unknown()).optional(),
  minValue: z.number().optional(),
  maxValue: z.number().optional(),
  metadata: z.object({ azd: z.object({ type: z.string() }).optional() }).optional(),
});
const Compiled = z.object({
  parameters: z.record(z.string(), ParameterDefinition).default({}),
  outputs: z.record(z.string(), z.object({ type: z.string() })).default({}),
});
const Given = z.object({ parameters: z.record(z.string(), z.object({ value: z.string() })) });
const Azure = z.object({
  services: z.record(z.string(), z.object({ host: z.string() })),
  pipeline: z.object({ variables: z.array(z.string()) }),
});

/** What azd deploys by, apart from the resources. */
export interface Template {
  /** main.bicep, compiled, all modules in it. */
  readonly compiled: unknown;
  readonly parameters: z.infer<typeof Compiled>['parameters'];
  /** infra/main.parameters.json. */
  readonly given: z.infer<typeof Given>['parameters'];
  /** azure.yaml. */
  readonly azure: z.infer<typeof Azure>;
}

/** Reads what lies beside main.bicep, for a template that the compiler has made of it. */
export function readTemplate(root: string, compiled: unknown): Template {
  return {
    compiled,
    parameters: Compiled.parse(compiled).parameters,
    given: Given.parse(JSON.parse(readFileSync(join(root, 'infra/main.parameters.json'), 'utf8'))).parameters,
    azure: Azure.parse(parse(readFileSync(join(root, 'azure.yaml'), 'utf8'))),
  };
}
