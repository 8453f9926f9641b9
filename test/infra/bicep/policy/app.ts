import { at, type Deployment, list, type Service } from '../deployment.ts';

const MEBIBYTE = 1024 * 1024;
/** MB that the Functions host, Node and the code take before the first request. */
const BASE_MB = 500;
/** How often the host and Node together hold a body that has a Content-Length: FACTS of the real host, 2026-11-26. */
const TIMES = 5;

/** An instance takes as many requests as it has memory for, and keys cannot deploy to it. */
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
  const doors = deployment
    .all('Microsoft.Web/sites/basicPublishingCredentialsPolicies')
    .filter(({ name }) => name.startsWith(`${site.name}/`))
    .map(({ name }) => name.replace(/.*\//, ''));
  const origins = list(site, 'properties.siteConfig.cors.allowedOrigins');
  return [
    ...parts(deployment, service),
    ...(memory === (deployment.case.memoryMB ?? 2048) ? [] : [`an instance has ${memory} MB`]),
    ...(concurrency === Math.floor((memory - BASE_MB) / (TIMES * limit))
      ? []
      : [`${concurrency} requests at once do not follow from ${memory} MB and bodies of ${limit} MiB`]),
    ...(inflight >= concurrency * limit
      ? []
      : [`the app refuses requests (${inflight} MiB) that the platform lets in`]),
    ...(BASE_MB + concurrency * limit * (TIMES - 1) + inflight <= memory
      ? []
      : [`host and app may hold more than the ${memory} MB there are`]),
    ...(doors.toSorted().join() === 'ftp,scm' ? [] : [`publishing with a password is closed at ${doors.join()} only`]),
    ...(origins.join() === (service === 'api' ? (deployment.case.corsOrigins ?? []) : []).join()
      ? []
      : [`CORS allows ${origins.join() || 'nobody'}`]),
    ...(at(site, 'properties.siteConfig.appSettings') ? ['app settings are written in a second place'] : []),
  ];
}

/** The app runs on a plan of its own, as its own identity, and its package and its host's notes are in an account of its own. */
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
