import { ROUTES } from '../../../../src/routes/routes.ts';
import { CLIENT } from '../cases.ts';
import { at, type Deployment, list, TENANT } from '../deployment.ts';

/** The routes that need neither a key nor a token. */
const ANONYMOUS = ROUTES.filter(({ isPublic }) => isPublic).map(({ path }) => `/api/${path}`);

/** Checks that sign-in is always written, because it would otherwise stay on after it was turned off. */
export function signIn(deployment: Deployment): string[] {
  const setting = deployment.resources.find(({ name }) => name.endsWith('/authsettingsV2'));
  if (!setting) return ['sign-in is not written, so it stays on after it was turned off'];
  const wanted = deployment.case.signIn;
  const entra = 'properties.identityProviders.azureActiveDirectory';
  const expected: Record<string, unknown> = {
    'properties.platform.enabled': Boolean(wanted),
    'properties.globalValidation.requireAuthentication': Boolean(wanted),
    'properties.globalValidation.unauthenticatedClientAction': wanted ? 'Return401' : 'AllowAnonymous',
    'properties.login.tokenStore.enabled': false,
    [`${entra}.enabled`]: Boolean(wanted),
    [`${entra}.registration.clientId`]: wanted ? CLIENT : null,
    [`${entra}.registration.openIdIssuer`]: `[format('{0}{1}/v2.0', environment().authentication.loginEndpoint, '${TENANT}')]`,
  };
  const lists: Record<string, readonly string[]> = {
    'properties.globalValidation.excludedPaths': ANONYMOUS,
    [`${entra}.validation.allowedAudiences`]: wanted ? [CLIENT, `api://${CLIENT}`] : [],
    [`${entra}.validation.defaultAuthorizationPolicy.allowedApplications`]: wanted ?? [],
  };
  return [
    ...Object.entries(expected)
      .filter(([path, value]) => at(setting, path) !== value)
      .map(([path]) => `sign-in: ${path} is ${JSON.stringify(at(setting, path))}`),
    ...Object.entries(lists)
      .filter(([path, values]) => list(setting, path).join() !== values.join())
      .map(([path]) => `sign-in: ${path} is ${list(setting, path).join() || 'empty'}`),
  ];
}
