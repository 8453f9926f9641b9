import type { Bicep } from 'bicep-node';
import * as v from 'valibot';
import type { Case } from './cases.ts';

/** The subscription and tenant for which deployments are predicted. Nothing is sent to either. */
export const SUBSCRIPTION = '00000000-0000-0000-0000-000000000001';
export const TENANT = '11111111-1111-1111-1111-111111111111';

const Resource = v.object({
  id: v.string(),
  type: v.string(),
  name: v.string(),
  apiVersion: v.string(),
  location: v.optional(v.string()),
  kind: v.optional(v.string()),
  sku: v.optional(v.record(v.string(), v.unknown())),
  identity: v.optional(v.record(v.string(), v.unknown())),
  tags: v.optional(v.record(v.string(), v.string())),
  properties: v.optional(v.record(v.string(), v.unknown()), {}),
});
const Snapshot = v.object({
  predictedResources: v.array(Resource),
  diagnostics: v.array(v.unknown()),
  outputs: v.record(v.string(), v.unknown()),
});

/** A resource as `bicep snapshot` predicts it. A value that only Azure knows is an expression in square brackets. */
export type Resource = v.InferOutput<typeof Resource>;

/** A service of azure.yaml. */
export type Service = 'api' | 'jobs';

/** The deployment that one set of parameters results in. */
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

  /** @throws {Error} unless there is exactly one resource of this type */
  only(type: string): Resource {
    const found = this.all(type);
    if (found.length !== 1 || !found[0])
      throw new Error(`there are ${found.length} resources of type ${type}, not one`);
    return found[0];
  }

  /** The services of azure.yaml that are deployed. Each is a function app. */
  get services(): readonly Service[] {
    return this.case.jobs ? ['api', 'jobs'] : ['api'];
  }

  /** @throws {Error} if there is no such app */
  site(service: Service): Resource {
    return this.#named('Microsoft.Web/sites', service === 'jobs' ? 'func-jobs-' : 'func-');
  }

  /** The app settings of an app. */
  settings(service: Service): Readonly<Record<string, unknown>> {
    const { name } = this.site(service);
    const settings = this.resources.find((resource) => resource.name === `${name}/appsettings`);
    if (!settings) throw new Error(`there are no app settings of ${name}`);
    return settings.properties;
  }

  /**
   * Returns the identity of an app: the expressions for its object id and, if it is user-assigned, for its client id.
   * Its resource id is undefined if it is system-assigned.
   */
  identity(service: Service): {
    readonly id: string | undefined;
    readonly principalId: string;
    readonly clientId: string;
  } {
    if (this.case.userAssignedIdentity) {
      const { id, apiVersion } = this.#named(
        'Microsoft.ManagedIdentity/userAssignedIdentities',
        service === 'jobs' ? 'id-jobs-' : 'id-',
      );
      const reference = `reference('${id}', '${apiVersion}')`;
      return { id, principalId: `${reference}.principalId`, clientId: `${reference}.clientId` };
    }
    const { id, apiVersion } = this.site(service);
    return {
      id: undefined,
      principalId: `reference('${id}', '${apiVersion}', 'full').identity.principalId`,
      clientId: '',
    };
  }

  /** The storage account of an app's host. */
  hostStorage(service: Service): Resource {
    return this.#named('Microsoft.Storage/storageAccounts', service === 'jobs' ? 'sthost' : 'st');
  }

  /** The storage account with jobs and images. */
  get jobsStorage(): Resource {
    return this.#named('Microsoft.Storage/storageAccounts', 'stjobs');
  }

  /** Finds a resource by its type and by its name without the unique suffix. */
  #named(type: string, prefix: string): Resource {
    const found = this.all(type).filter(({ name }) => name.startsWith(prefix) && name.length === prefix.length + 13);
    if (found.length !== 1 || !found[0])
      throw new Error(`there are ${found.length} resources ${prefix}… of type ${type}`);
    return found[0];
  }

  /** The resource ids of the model accounts that the app calls. */
  get models(): string[] {
    const own = this.all('Microsoft.CognitiveServices/accounts').map(({ id }) => id);
    return this.case.existingModel ? [this.case.existingModel, ...own] : own;
  }
}

/** Predicts what a parameter file deploys, offline. */
export async function predict(bicep: Bicep, of: Case, parameterFile: string, group?: string): Promise<Deployment> {
  const metadata = {
    tenantId: TENANT,
    subscriptionId: SUBSCRIPTION,
    // Only for a file that is deployed into a resource group.
    ...(group ? { resourceGroup: group } : {}),
    location: 'swedencentral',
    deploymentName: 'test',
  };
  const { snapshot } = await bicep.getSnapshot({ path: parameterFile, metadata });
  const { predictedResources, diagnostics, outputs } = v.parse(Snapshot, JSON.parse(snapshot));
  if (diagnostics.length > 0) throw new Error(JSON.stringify(diagnostics));
  return new Deployment(of, predictedResources, outputs);
}

/** Returns the value at a dotted path, or undefined if there is none. */
export function at(object: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => {
    const members = v.safeParse(v.record(v.string(), v.unknown()), value);
    return members.success ? members.output[key] : undefined;
  }, object);
}

/** Returns the array at a dotted path, or an empty one if there is none. */
export function list(object: unknown, path: string): unknown[] {
  const entries = v.safeParse(v.array(v.unknown()), at(object, path));
  return entries.success ? entries.output : [];
}
