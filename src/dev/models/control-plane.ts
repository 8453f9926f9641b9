import { CognitiveServicesManagementClient, type Model } from '@azure/arm-cognitiveservices';
import { createCredential } from '../../azure/identity.ts';
import { SettingsError } from '../../config/environment.ts';
import { readSettings, type Settings } from '../../config/settings.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Azure Resource Manager by the cloud's authority:
 * https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure
 */
const SOVEREIGN: Readonly<Record<string, string>> = {
  'https://login.microsoftonline.us': 'https://management.usgovcloudapi.net',
  'https://login.chinacloudapi.cn': 'https://management.chinacloudapi.cn',
};
const PUBLIC = 'https://management.azure.com';

/** A model resource in the subscription. */
export interface Account {
  readonly name: string;
  readonly group: string;
  readonly location: string;
}

/** The part of Azure's control plane that this tool needs. It signs in as the app would, but never with a key. */
export class ControlPlane {
  readonly #client: CognitiveServicesManagementClient;

  constructor(variables: Variables, subscription: string) {
    const settings = trySettings(variables);
    // The control plane accepts no keys of the model resource.
    const auth = !settings || settings.auth === 'key' ? 'identity' : settings.auth;
    const cloud = (settings?.authorityHost && SOVEREIGN[settings.authorityHost]) ?? PUBLIC;
    this.#client = new CognitiveServicesManagementClient(
      createCredential({ auth, authorityHost: settings?.authorityHost }, variables),
      subscription,
      {
        endpoint: variables['AZURE_RESOURCE_MANAGER_ENDPOINT'] || cloud,
        credentialScopes: `${cloud}/.default`,
      },
    );
  }

  /** Lists the models that a region offers. */
  async models(location: string): Promise<readonly Model[]> {
    return Array.fromAsync(this.#client.models.list(location));
  }

  /** Finds the resource of an endpoint, if it is in this subscription. */
  async accountOf(endpoint: string): Promise<Account | undefined> {
    const { hostname } = new URL(endpoint);
    for await (const { id = '', name, location, properties } of this.#client.accounts.list()) {
      const hosts = [properties?.endpoint, ...Object.values(properties?.endpoints ?? {})].map(
        (each) => URL.parse(each ?? '')?.hostname,
      );
      const [, group] = /\/resourceGroups\/([^/]+)\//i.exec(id) ?? [];
      if (
        name &&
        location &&
        group &&
        (hosts.includes(hostname) || properties?.customSubDomainName === hostname.split('.')[0])
      )
        return { name, group, location };
    }
    return undefined;
  }

  /** Returns name and version of the model that a deployment runs. */
  async modelOf({ name, group }: Account, deployment: string): Promise<{ name: string; version: string } | undefined> {
    const { properties } = await this.#client.deployments.get(group, name, deployment);
    const { name: model, version } = properties?.model ?? {};
    return model && version ? { name: model, version } : undefined;
  }
}

/** Reads the settings. Returns undefined if they are not valid, because a region can be asked about without them. */
export function trySettings(variables: Variables): Settings | undefined {
  try {
    return readSettings(variables);
  } catch (error) {
    if (error instanceof SettingsError) return undefined;
    throw error;
  }
}
