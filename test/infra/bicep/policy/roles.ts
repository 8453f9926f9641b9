import { PRINCIPAL } from '../cases.ts';
import { at, type Deployment, type Resource } from '../deployment.ts';

const BLOB_OWNER = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'; // Storage Blob Data Owner
const METRICS_PUBLISHER = '3913510d-42f4-4e42-8a64-420c390055eb'; // Monitoring Metrics Publisher
const MODEL_USER = '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'; // Cognitive Services OpenAI User

/** Who may do what on which resource, all three as one line. */
type Assignment = string;

/** The app may keep its package, write telemetry and ask its models; who deploys may ask them; and that is all. */
export function roles(deployment: Deployment): string[] {
  const expected = expectedFor(deployment);
  const assignments = deployment.all('Microsoft.Authorization/roleAssignments');
  const found = assignments.map((assignment) => describe(deployment, assignment));
  return [
    ...found
      .filter((assignment) => !expected.includes(assignment))
      .map((each) => `nobody asked for this role: ${each}`),
    ...expected.filter((assignment) => !found.includes(assignment)).map((each) => `this role is missing: ${each}`),
    ...assignments.flatMap((assignment) => nameFault(assignment)),
  ];
}

function expectedFor(deployment: Deployment): Assignment[] {
  const storage = deployment.only('Microsoft.Storage/storageAccounts').id;
  const insights = deployment.only('Microsoft.Insights/components').id;
  const { principalType } = deployment.case;
  return [
    `the app, ServicePrincipal: ${BLOB_OWNER} on ${storage}`,
    `the app, ServicePrincipal: ${METRICS_PUBLISHER} on ${insights}`,
    ...deployment.models.map((model) => `the app, ServicePrincipal: ${MODEL_USER} on ${model}`),
    ...(principalType
      ? deployment.models.map((model) => `${PRINCIPAL}, ${principalType}: ${MODEL_USER} on ${model}`)
      : []),
  ];
}

function describe(deployment: Deployment, assignment: Resource): Assignment {
  const { principalId, principalType, roleDefinitionId } = assignment.properties;
  const role = String(roleDefinitionId).split('/').at(-1);
  return `${nameOf(deployment, String(principalId))}, ${String(principalType)}: ${role} on ${scopeOf(assignment)}`;
}

function nameOf(deployment: Deployment, principalId: string): string {
  return principalId === appPrincipal(deployment) ? 'the app' : principalId;
}

/** The expression that stands for the object id of the app's identity. */
function appPrincipal(deployment: Deployment): string {
  if (deployment.case.userAssignedIdentity) {
    const { id, apiVersion } = deployment.only('Microsoft.ManagedIdentity/userAssignedIdentities');
    return `[reference('${id}', '${apiVersion}').principalId]`;
  }
  const { id, apiVersion } = deployment.only('Microsoft.Web/sites');
  return `[reference('${id}', '${apiVersion}', 'full').identity.principalId]`;
}

/** The resource that a role is given on; the id is an expression where the name of the assignment is one. */
function scopeOf({ id }: Resource): string {
  const [, ofExpression] =
    /^\[extensionResourceId\('([^']+)', 'Microsoft\.Authorization\/roleAssignments'/.exec(id) ?? [];
  return ofExpression ?? id.split('/providers/Microsoft.Authorization/')[0] ?? id;
}

/**
 * Scope, principal and role make the name. An identity that was created anew then gets an assignment of its own, where
 * changing the old one would be refused (RoleAssignmentUpdateNotPermitted).
 */
function nameFault(assignment: Resource): string[] {
  const principal = String(at(assignment, 'properties.principalId'));
  // The compiler has worked the name out where it knows the principal; the same line of Bicep is then judged with the app's.
  if (!principal.startsWith('[')) return [];
  const role = String(at(assignment, 'properties.roleDefinitionId')).split('/').at(-1);
  const expected = `[guid('${scopeOf(assignment)}', ${principal.slice(1, -1)}, '${role}')]`;
  return assignment.name === expected ? [] : [`a role's name is ${assignment.name}, not ${expected}`];
}
