import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { appSettings } from './policy/app-settings.ts';
import { localAuth } from './policy/local-auth.ts';
import { modules } from './policy/modules.ts';
import { parameters, switches } from './policy/parameters.ts';
import { roles } from './policy/roles.ts';
import { secrets } from './policy/secrets.ts';
import { serviceTag } from './policy/service-tag.ts';
import { syntax } from './policy/syntax.ts';
import { readTemplate } from './template.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const POLICIES = { syntax, secrets, localAuth, roles, parameters, switches, appSettings, serviceTag, modules };

test.each(Object.entries(POLICIES))('%s', (_name, policy) => {
  expect(policy(readTemplate(ROOT))).toEqual([]);
});

describe('a spoiled copy is found out', () => {
  test.each<[what: string, file: string, from: string | RegExp, to: string, finding: string]>([
    ['a file that is no Bicep', 'infra/app.bicep', 'resource plan', 'resource plan =', 'app.bicep cannot be parsed'],
    [
      'a key as an output',
      'infra/model-access.bicep',
      /$/,
      'output key string = account.listKeys().key1\n',
      'model-access.bicep calls listKeys',
    ],
    [
      'an output named like a key',
      'infra/main.bicep',
      'output AZURE_OPENAI_DEPLOYMENT',
      'output AZURE_OPENAI_API_KEY',
      'main.bicep gives out AZURE_OPENAI_API_KEY',
    ],
    [
      'a connection string as an output',
      'infra/monitoring.bicep',
      /$/,
      'output where string = insights.properties.ConnectionString\n',
      'monitoring.bicep reads insights.properties.ConnectionString',
    ],
    [
      'a storage key in a setting',
      'infra/settings.bicep',
      "'managedidentity'",
      "'AccountKey=${storageName}'",
      'settings.bicep holds a secret in a string',
    ],
    [
      'a secret as a parameter',
      'infra/sign-in.bicep',
      'param clientId',
      '@secure()\nparam clientSecret string\nparam clientId',
      'sign-in.bicep takes a secure parameter',
    ],
    [
      'keys for the model',
      'infra/model.bicep',
      'disableLocalAuth: true',
      'disableLocalAuth: false',
      'model.bicep: account must have properties.disableLocalAuth: true',
    ],
    [
      'shared keys for storage',
      'infra/storage.bicep',
      '    allowSharedKeyAccess: false\n',
      '',
      'storage.bicep: account must have properties.allowSharedKeyAccess: false',
    ],
    [
      'keys for telemetry',
      'infra/monitoring.bicep',
      'DisableLocalAuth: true',
      'DisableLocalAuth: false',
      'monitoring.bicep: insights must have properties.DisableLocalAuth: true',
    ],
    [
      'keys for logs',
      'infra/monitoring.bicep',
      'features: { disableLocalAuth: true }',
      'features: {}',
      'monitoring.bicep: workspace must have properties.features.disableLocalAuth: true',
    ],
    [
      'publishing with a password',
      'infra/app.bicep',
      "['ftp', 'scm']",
      "['ftp']",
      'app.bicep: publishing with a password is open at scm',
    ],
    [
      'a model without a subdomain',
      'infra/model.bicep',
      '    customSubDomainName: name\n',
      '',
      'model.bicep: account must have properties.customSubDomainName',
    ],
    [
      'network access left to a default',
      'infra/model.bicep',
      /^ +publicNetworkAccess.*\n/m,
      '',
      'model.bicep: account must have properties.publicNetworkAccess',
    ],
    [
      'a kind of resource that nobody looked at',
      'infra/identity.bicep',
      'ManagedIdentity/userAssignedIdentities@',
      'KeyVault/vaults@',
      'identity.bicep: Microsoft.KeyVault/vaults is not known to this policy',
    ],
    [
      'the role Contributor',
      'infra/app-access.bicep',
      'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
      'b24988ac-6180-42a0-ab88-20f7382dd24c',
      'app-access.bicep: keepPackages gives a role that is not allowed',
    ],
    [
      'a role on the whole group',
      'infra/app-access.bicep',
      '  scope: storage\n',
      '',
      'app-access.bicep: keepPackages is not on a single resource',
    ],
    [
      'a role on the wrong resource',
      'infra/app-access.bicep',
      'scope: insights',
      'scope: storage',
      'app-access.bicep: writeTelemetry gives its role on Microsoft.Storage/storageAccounts',
    ],
    [
      'a role without the type of its principal',
      'infra/model-access.bicep',
      '    principalType: caller.type\n',
      '',
      'model-access.bicep: call has no principalType',
    ],
    [
      'a role whose name forgets the principal',
      'infra/model-access.bicep',
      'guid(account.id, caller.id, modelUser)',
      'guid(account.id, modelUser)',
      'model-access.bicep: call is not named by guid(scope.id, principal, role)',
    ],
    [
      'a parameter that is not there',
      'infra/main.parameters.json',
      '"modelName"',
      '"modelNames"',
      'main.bicep has no parameter modelNames',
    ],
    [
      'a switch that the pipeline would turn off',
      'azure.yaml',
      '    - VISION_PRIVATE_NETWORKING\n',
      '',
      'the pipeline does not get VISION_PRIVATE_NETWORKING',
    ],
    [
      'a switch that is on',
      'infra/main.bicep',
      'param privateNetworking bool = false',
      'param privateNetworking bool = true',
      'privateNetworking is not off by default',
    ],
    [
      'a setting that nobody reads',
      'infra/settings.bicep',
      'AZURE_OPENAI_DEPLOYMENT:',
      'AZURE_OPENAI_DEPLOYMENTS:',
      'nobody reads the app setting AZURE_OPENAI_DEPLOYMENTS',
    ],
    [
      'a setting that Flex Consumption refuses',
      'infra/settings.bicep',
      "AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential'",
      "AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential'\n  FUNCTIONS_WORKER_RUNTIME: 'node'",
      'nobody reads the app setting FUNCTIONS_WORKER_RUNTIME',
    ],
    [
      'settings in a second place',
      'infra/app.bicep',
      'siteConfig: { ',
      'siteConfig: { appSettings: [], ',
      'app.bicep sets app settings beside those of settings.bicep',
    ],
    [
      'a wrong tag',
      'infra/app.bicep',
      "'azd-service-name': 'api'",
      "'azd-service-name': 'web'",
      'azure.yaml has api, the tag says web',
    ],
    ['a module that nothing uses', 'infra/main.bicep', /module alerts[^]*?\n}\n/, '', 'nothing uses alerts.bicep'],
    [
      'a module that is not there',
      'infra/main.bicep',
      "'alerts.bicep'",
      "'alert.bicep'",
      'main.bicep: there is no alert.bicep',
    ],
  ])('%s', (_what, file, from, to, finding) => {
    const copy = copyOfTemplate();
    const before = readFileSync(join(copy, file), 'utf8');
    const after = before.replace(from, to);
    expect(after).not.toBe(before);
    writeFileSync(join(copy, file), after);
    const template = readTemplate(copy);
    expect(Object.values(POLICIES).flatMap((policy) => policy(template))).toContain(finding);
  });
});

function copyOfTemplate(): string {
  const copy = mkdtempSync(join(tmpdir(), 'template-'));
  onTestFinished(() => rmSync(copy, { recursive: true }));
  cpSync(join(ROOT, 'infra'), join(copy, 'infra'), { recursive: true });
  cpSync(join(ROOT, 'azure.yaml'), join(copy, 'azure.yaml'));
  return copy;
}
