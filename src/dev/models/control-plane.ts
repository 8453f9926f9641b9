import { CognitiveServicesManagementClient, type Model } from '@azure/arm-cognitiveservices';
import { createCredential } from '../../azure/identity.ts';
import { SettingsError } from '../../config/environment.ts';
import { readSettings, type Settings } from '../../config/settings.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** Azure Resource Manager by the place where its cloud signs in: https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure */
const SOVEREIGN: Readonly<Record<string, string>> = {
  'https://login.microsoftonline.us': 'https://management.usgovcloudapi.net',
  'https://login.chinacloudapi.cn': 'https://management.chinacloudapi.cn',
};
const PUBLIC = 'https://management.azure.com';

/** A resource of the subscription. */
export interface Account {
  readonly name: string;
  readonly group: string;
  readonly location: string;
}

/** As much of Azure's control plane as this tool asks, as whoever the app would sign in as. */
export class ControlPlane {
  readonly #client: CognitiveServicesManagementClient;

  constructor(variables: Variables, subscription: string) {
    const settings = trySettings(variables);
    // A key opens no control plane.
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

  async models(location: string): Promise<readonly Model[]> {
    return Array.fromAsync(this.#client.models.list(location));
  }

  /** The resource behind an endpoint, if it is in this subscription. */
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

  /** Name and version of the model that a deployment runs. */
  async modelOf({ name, group }: Account, deployment: string): Promise<{ name: string; version: string } | undefined> {
    const { properties } = await this.#client.deployments.get(group, name, deployment);
    const { name: model, version } = properties?.model ?? {};
    return model && version ? { name: model, version } : undefined;
  }
}

/** What the settings say, where they are complete; a region can be asked about without any. */
export function trySettings(variables: Variables): Settings | undefined {
  try {
    return readSettings(variables);
  } catch (error) {
    if (error instanceof SettingsError) return undefined;
    throw error;
  }
}
