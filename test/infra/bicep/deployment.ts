import type { Bicep } from 'bicep-node';
import { z } from 'zod';
import type { Case } from './cases.ts';

/** The subscription and tenant that the snapshots are taken for. Nothing is asked of either. */
export const SUBSCRIPTION = '00000000-0000-0000-0000-000000000001';
export const TENANT = '11111111-1111-1111-1111-111111111111';

const Resource = z.object({
  id: z.string(),
  type: z.string(),
  name: z.string(),
  apiVersion: z.string(),
  location: z.string().optional(),
  kind: z.string().optional(),
  sku: z.record(z.string(), z.unknown()).optional(),
  identity: z.record(z.string(), z.unknown()).optional(),
  tags: z.record(z.string(), z.string()).optional(),
  properties: z.record(z.string(), z.unknown()).default({}),
});
const Snapshot = z.object({
  predictedResources: z.array(Resource),
  diagnostics: z.array(z.unknown()),
  outputs: z.record(z.string(), z.unknown()),
});

/** A resource as `bicep snapshot` predicts it. What only Azure knows stands as an expression, in square brackets. */
export type Resource = z.infer<typeof Resource>;

/** What one set of parameters deploys. */
export class Deployment {
  readonly case: Case;
  readonly resources: readonly Resource[];
  readonly outputs: Readonly<Record<string, unknown>>;

  constructor(of: Case, resources: readonly Resource[], outputs: Readonly<Record<string, unknown>>) {
    this.case = of;
    this.resources = resources;
    this.outputs = outputs;
  }

  all(type: string): Resource[] {
    return this.resources.filter((resource) => resource.type === type);
  }

  /** @throws {Error} where there is none of this type, or more than one */
  only(type: string): Resource {
    const found = this.all(type);
    if (found.length !== 1 || !found[0])
      throw new Error(`there are ${found.length} resources of type ${type}, not one`);
    return found[0];
  }

  /** Resource ids of the model accounts that the app asks. */
  get models(): string[] {
    const own = this.all('Microsoft.CognitiveServices/accounts').map(({ id }) => id);
    return this.case.existingModel ? [this.case.existingModel, ...own] : own;
  }
}

/** Predicts what a parameter file deploys, offline. */
export async function predict(bicep: Bicep, of: Case, parameterFile: string): Promise<Deployment> {
  const metadata = {
    tenantId: TENANT,
    subscriptionId: SUBSCRIPTION,
    location: 'swedencentral',
    deploymentName: 'test',
  };
  const { snapshot } = await bicep.getSnapshot({ path: parameterFile, metadata });
  const { predictedResources, diagnostics, outputs } = Snapshot.parse(JSON.parse(snapshot));
  if (diagnostics.length > 0) throw new Error(JSON.stringify(diagnostics));
  return new Deployment(of, predictedResources, outputs);
}

/** A value by its path with dots, whatever it is. */
export function at(object: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => {
    const members = z.record(z.string(), z.unknown()).safeParse(value);
    return members.success ? members.data[key] : undefined;
  }, object);
}

/** The entries of an array by its path, none where there is no array. */
export function list(object: unknown, path: string): unknown[] {
  return z.array(z.unknown()).safeParse(at(object, path)).data ?? [];
}
