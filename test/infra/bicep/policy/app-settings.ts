import { globSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSettings } from '../../../../src/config/settings.ts';
import type { Deployment, Service } from '../deployment.ts';

/** The settings that the Functions host and OpenTelemetry's exporters read. */
const PLATFORM = [
  'AzureWebJobsStorage__accountName',
  'AzureWebJobsStorage__credential',
  'AzureWebJobsStorage__clientId',
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
  'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_PROTOCOL',
  'JobsStorage__queueServiceUri',
  'JobsStorage__credential',
  'JobsStorage__clientId',
  'JobsStorage__retry__maxRetries',
  'JobsStorage__retry__maxDelay',
];

/** Checks that each app setting is read by something, and that the expected settings have their expected values. */
export function appSettings(deployment: Deployment): string[] {
  return deployment.services.flatMap((service) => faults(deployment, service));
}

function faults(deployment: Deployment, service: Service): string[] {
  const known = new Set([...readByTheApp(), ...readByIdentity(), ...PLATFORM]);
  const settings = deployment.settings(service);
  const expected = expectedFor(deployment, service);
  return [
    ...Object.keys(settings)
      .filter((name) => !known.has(name))
      .map((name) => `nothing reads the app setting ${name}`),
    ...Object.keys(settings)
      .filter((name) => !(name in expected))
      .map((name) => `unexpected app setting ${name}`),
    ...Object.entries(expected)
      .filter(
        ([name, value]) => !(typeof value === 'string' ? settings[name] === value : value.test(String(settings[name]))),
      )
      .map(
        ([name, value]) =>
          `the app setting ${name} of ${service} is ${JSON.stringify(settings[name])}, not ${String(value)}`,
      ),
  ];
}

function expectedFor(deployment: Deployment, service: Service): Record<string, string | RegExp> {
  const { signIn, userAssignedIdentity, secondRegion, otlp, jobs } = deployment.case;
  const [first = '', second = ''] = deployment.models;
  const storage = deployment.hostStorage(service).name;
  const insights = deployment.only('Microsoft.Insights/components').id;
  return {
    AZURE_OPENAI_ENDPOINT: endpointOf(first),
    AZURE_OPENAI_DEPLOYMENT: 'vision',
    IMAGE_CONTAINERS: imageContainers(deployment),
    // Entra ID sign-in protects only the app that callers reach. The jobs app needs function keys.
    HTTP_AUTH_LEVEL: signIn && service === 'api' ? 'anonymous' : 'function',
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
    ...(userAssignedIdentity ? ofIdentity(deployment, service) : {}),
    ...(jobs ? { JOBS_STORAGE_ACCOUNT: deployment.jobsStorage.name } : {}),
    // Only the jobs app has the queue trigger, because a fault of storage ends a host with a queue trigger.
    ...(service === 'jobs' ? ofWorker(deployment) : {}),
    ...(secondRegion ? { AZURE_OPENAI_ENDPOINT_2: endpointOf(second), AZURE_OPENAI_DEPLOYMENT_2: 'vision' } : {}),
    ...(otlp
      ? { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.internal:4318', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }
      : {}),
  };
}

function endpointOf(model: string): RegExp {
  return new RegExp(`^\\[reference\\('${model}', '[^']+'\\)\\.endpoint\\]$`);
}

/** Returns the expected setting: the container of images that is deployed, then those in other accounts. */
function imageContainers(deployment: Deployment): string {
  const { jobs, imageContainers: others = '' } = deployment.case;
  if (!jobs) return others;
  const { id, apiVersion } = deployment.jobsStorage;
  const own = `format('{0}{1}', reference('${id}', '${apiVersion}').primaryEndpoints.blob, 'images')`;
  return `[join(createArray(${own}${others && `, '${others}'`}), ',')]`;
}

function ofWorker(deployment: Deployment): Record<string, string | RegExp> {
  const { clientId } = deployment.identity('jobs');
  const { id, apiVersion } = deployment.jobsStorage;
  return {
    JOBS_WORKER: 'on',
    JobsStorage__queueServiceUri: `[reference('${id}', '${apiVersion}').primaryEndpoints.queue]`,
    JobsStorage__credential: 'managedidentity',
    ...(clientId ? { JobsStorage__clientId: `[${clientId}]` } : {}),
    JobsStorage__retry__maxRetries: '200',
    JobsStorage__retry__maxDelay: '00:00:10',
  };
}

function ofIdentity(deployment: Deployment, service: Service): Record<string, string> {
  const { clientId } = deployment.identity(service);
  return {
    AZURE_CLIENT_ID: `[${clientId}]`,
    AzureWebJobsStorage__clientId: `[${clientId}]`,
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: `[format('ClientId={0};{1}', ${clientId}, 'Authorization=AAD')]`,
  };
}

/** Returns the names that `readSettings` reads, which a proxy records. */
export function readByTheApp(): Set<string> {
  const names = new Set<string>();
  const record = (_: object, name: string | symbol): undefined => void names.add(String(name));
  try {
    readSettings(new Proxy({}, { get: record }));
  } catch {
    // It throws because nothing is set, but only after it has read every name.
  }
  return names;
}

/** Returns the names of variables in the source of `@azure/identity`. */
export function readByIdentity(): Set<string> {
  const folder = dirname(fileURLToPath(import.meta.resolve('@azure/identity')));
  const sources = globSync('credentials/**/*.js', { cwd: folder }).map((name) =>
    readFileSync(`${folder}/${name}`, 'utf8'),
  );
  return new Set(sources.flatMap((source) => source.match(/\bAZURE_[A-Z_]+\b/g) ?? []));
}
