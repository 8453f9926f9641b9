import { globSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSettings } from '../../../../src/config/settings.ts';
import type { Deployment } from '../deployment.ts';

/** What the Functions host and OpenTelemetry's exporters read. */
const PLATFORM = [
  'AzureWebJobsStorage__accountName',
  'AzureWebJobsStorage__credential',
  'AzureWebJobsStorage__clientId',
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
  'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_PROTOCOL',
];

/** Each app setting is one that somebody reads, all that is needed is there, and has the value that it should. */
export function appSettings(deployment: Deployment): string[] {
  const known = new Set([...readByTheApp(), ...readByIdentity(), ...PLATFORM]);
  const settings = deployment.resources.find(({ name }) => name.endsWith('/appsettings'))?.properties;
  if (!settings) return ['there are no app settings'];
  const expected = expectedFor(deployment);
  return [
    ...Object.keys(settings)
      .filter((name) => !known.has(name))
      .map((name) => `nobody reads the app setting ${name}`),
    ...Object.keys(settings)
      .filter((name) => !(name in expected))
      .map((name) => `nobody asked for the app setting ${name}`),
    ...Object.entries(expected)
      .filter(
        ([name, value]) => !(typeof value === 'string' ? settings[name] === value : value.test(String(settings[name]))),
      )
      .map(([name, value]) => `the app setting ${name} is ${JSON.stringify(settings[name])}, not ${String(value)}`),
  ];
}

function expectedFor(deployment: Deployment): Record<string, string | RegExp> {
  const { signIn, userAssignedIdentity, secondRegion, otlp } = deployment.case;
  const [first = '', second = ''] = deployment.models;
  const storage = deployment.only('Microsoft.Storage/storageAccounts').name;
  const insights = deployment.only('Microsoft.Insights/components').id;
  return {
    AZURE_OPENAI_ENDPOINT: endpointOf(first),
    AZURE_OPENAI_DEPLOYMENT: 'vision',
    HTTP_AUTH_LEVEL: signIn ? 'anonymous' : 'function',
    AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
    AzureWebJobsStorage__accountName: storage,
    AzureWebJobsStorage__credential: 'managedidentity',
    APPLICATIONINSIGHTS_CONNECTION_STRING: new RegExp(
      `^\\[reference\\('${insights}', '[^']+'\\)\\.ConnectionString\\]$`,
    ),
    FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '50331648',
    MAX_BODY_BYTES: '50331648',
    MAX_INFLIGHT_BYTES: /^\d+$/,
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD',
    ...(userAssignedIdentity ? ofIdentity(deployment) : {}),
    ...(secondRegion ? { AZURE_OPENAI_ENDPOINT_2: endpointOf(second), AZURE_OPENAI_DEPLOYMENT_2: 'vision' } : {}),
    ...(otlp
      ? { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.internal:4318', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }
      : {}),
  };
}

function endpointOf(model: string): RegExp {
  return new RegExp(`^\\[reference\\('${model}', '[^']+'\\)\\.endpoint\\]$`);
}

function ofIdentity(deployment: Deployment): Record<string, RegExp> {
  const { id } = deployment.only('Microsoft.ManagedIdentity/userAssignedIdentities');
  const clientId = new RegExp(`^\\[reference\\('${id}', '[^']+'\\)\\.clientId\\]$`);
  return {
    AZURE_CLIENT_ID: clientId,
    AzureWebJobsStorage__clientId: clientId,
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: new RegExp(
      `^\\[format\\('ClientId=\\{0\\};\\{1\\}', reference\\('${id}', '[^']+'\\)\\.clientId, 'Authorization=AAD'\\)\\]$`,
    ),
  };
}

/** Every name that `readSettings` looks at, as it looks. */
function readByTheApp(): Set<string> {
  const names = new Set<string>();
  const record = (_: object, name: string | symbol): undefined => void names.add(String(name));
  try {
    readSettings(new Proxy({}, { get: record }));
  } catch {
    // It complains that nothing is set, after it has looked at everything.
  }
  return names;
}

function readByIdentity(): Set<string> {
  const folder = dirname(fileURLToPath(import.meta.resolve('@azure/identity')));
  const sources = globSync('credentials/**/*.js', { cwd: folder }).map((name) =>
    readFileSync(`${folder}/${name}`, 'utf8'),
  );
  return new Set(sources.flatMap((source) => source.match(/\bAZURE_[A-Z_]+\b/g) ?? []));
}
