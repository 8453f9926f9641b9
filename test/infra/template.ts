import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { BicepFile } from './bicep-file.ts';

const Parameters = z.object({ parameters: z.record(z.string(), z.object({ value: z.string() })) });
const Azure = z.object({
  requiredVersions: z.object({ azd: z.string() }),
  services: z.record(z.string(), z.object({ host: z.string(), dist: z.string(), remoteBuild: z.boolean() })),
  pipeline: z.object({ variables: z.array(z.string()) }),
  hooks: z.record(
    z.string(),
    z.object({ posix: z.object({ run: z.string() }), windows: z.object({ run: z.string() }) }),
  ),
});

/** All that azd deploys by. */
export interface Template {
  readonly main: BicepFile;
  /** Every Bicep file by its name, `main.bicep` included. */
  readonly files: ReadonlyMap<string, BicepFile>;
  readonly parameters: z.infer<typeof Parameters>['parameters'];
  readonly azure: z.infer<typeof Azure>;
}

/** Reads `azure.yaml` and `infra/` below a folder. */
export function readTemplate(folder: string): Template {
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const names = readdirSync(join(folder, 'infra'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.bicep'),
  );
  const files = new Map(names.map((name) => [name, new BicepFile(name, read(join('infra', name)))]));
  const main = files.get('main.bicep');
  if (!main) throw new Error('infra/main.bicep is missing');
  return {
    main,
    files,
    parameters: Parameters.parse(JSON.parse(read('infra/main.parameters.json'))).parameters,
    azure: Azure.parse(parse(read('azure.yaml'))),
  };
}
