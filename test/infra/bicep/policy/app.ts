import { at, type Deployment, list, type Service } from '../deployment.ts';

const MEBIBYTE = 1024 * 1024;
/** MB that the Functions host, Node and the code take before the first request. */
const BASE_MB = 500;
/** How many copies of a body with a Content-Length the real host and Node hold together, as measured on 2026-11-26. */
const COPIES = 5;

/** Checks that an instance accepts as many requests as it has memory for, and that passwords cannot deploy to it. */
export function app(deployment: Deployment): string[] {
  return deployment.services.flatMap((service) => appFaults(deployment, service));
}

function appFaults(deployment: Deployment, service: Service): string[] {
  const site = deployment.site(service);
  const settings = deployment.settings(service);
  const limit = Number(settings['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT']) / MEBIBYTE;
  const memory = Number(at(site, 'properties.functionAppConfig.scaleAndConcurrency.instanceMemoryMB'));
  const concurrency = Number(
    at(site, 'properties.functionAppConfig.scaleAndConcurrency.triggers.http.perInstanceConcurrency'),
  );
  const inflight = Number(settings['MAX_INFLIGHT_BYTES']) / MEBIBYTE;
  const publishing = deployment
    .all('Microsoft.Web/sites/basicPublishingCredentialsPolicies')
    .filter(({ name }) => name.startsWith(`${site.name}/`))
    .map(({ name }) => name.replace(/.*\//, ''));
  const origins = list(site, 'properties.siteConfig.cors.allowedOrigins');
  return [
    ...parts(deployment, service),
    ...(memory === (deployment.case.memoryMB ?? 2048) ? [] : [`an instance has ${memory} MB`]),
    ...(concurrency === Math.floor((memory - BASE_MB) / (COPIES * limit))
      ? []
      : [`${concurrency} concurrent requests do not match ${memory} MB and bodies of ${limit} MiB`]),
    ...(inflight >= concurrency * limit
      ? []
      : [`MAX_INFLIGHT_BYTES (${inflight} MiB) is less than ${concurrency} requests need`]),
    ...(BASE_MB + concurrency * limit * (COPIES - 1) + inflight <= memory
      ? []
      : [`the host and the app may need more than ${memory} MB`]),
    ...(publishing.toSorted().join() === 'ftp,scm'
      ? []
      : [`the password policies are for ${publishing.join() || 'nothing'}, not for ftp and scm`]),
    ...(origins.join() === (service === 'api' ? (deployment.case.corsOrigins ?? []) : []).join()
      ? []
      : [`CORS allows ${origins.join() || 'nobody'}`]),
    ...(at(site, 'properties.siteConfig.appSettings') ? ['siteConfig.appSettings has app settings, too'] : []),
  ];
}

/** Checks that the app has its own plan and identity, and that its package is in the storage account of its host. */
function parts(deployment: Deployment, service: Service): string[] {
  const site = deployment.site(service);
  const plan = at(site, 'properties.serverFarmId');
  const own = deployment.all('Microsoft.Web/serverfarms').find(({ name }) => name === `plan-${site.name}`);
  const identities = Object.keys(at(site, 'identity.userAssignedIdentities') ?? {});
  const expected = deployment.identity(service).id ?? '';
  const packages = String(at(site, 'properties.functionAppConfig.deployment.storage.value'));
  return [
    ...(plan === own?.id ? [] : [`the app runs on ${String(plan)}`]),
    ...(identities.join() === expected ? [] : [`the app's identity is ${identities.join()}`]),
    ...(packages.includes(`${deployment.hostStorage(service).id}', `)
      ? []
      : [`the package of ${service} is in ${packages}`]),
  ];
}
