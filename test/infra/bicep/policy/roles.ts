import { PRINCIPAL } from '../cases.ts';
import { JOBS } from '../../../../src/config/storage.ts';
import { at, type Deployment, type Resource, type Service } from '../deployment.ts';

const BLOB_OWNER = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'; // Storage Blob Data Owner
const METRICS_PUBLISHER = '3913510d-42f4-4e42-8a64-420c390055eb'; // Monitoring Metrics Publisher
const MODEL_USER = '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'; // Cognitive Services OpenAI User

const BLOB_READER = '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'; // Storage Blob Data Reader
const BLOB_CONTRIBUTOR = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'; // Storage Blob Data Contributor
const QUEUE_READER = '19e7f393-937e-4f77-808e-94535e297925'; // Storage Queue Data Reader
const QUEUE_SENDER = 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'; // Storage Queue Data Message Sender
const QUEUE_CONTRIBUTOR = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'; // Storage Queue Data Contributor

/** A role assignment as one line: the principal, the role and the resource. */
type Assignment = string;

/**
 * Checks that there are exactly the expected role assignments. Each app may store its package, write telemetry, call
 * its models, and use the containers and queues of jobs that it needs. The principal that deploys may call the models
 * and upload images.
 */
export function roles(deployment: Deployment): string[] {
  const expected = expectedFor(deployment);
  const assignments = deployment.all('Microsoft.Authorization/roleAssignments');
  const found = assignments.map((assignment) => describe(deployment, assignment));
  return [
    ...found
      .filter((assignment) => !expected.includes(assignment))
      .map((each) => `unexpected role assignment: ${each}`),
    ...expected.filter((assignment) => !found.includes(assignment)).map((each) => `missing role assignment: ${each}`),
    ...assignments.flatMap((assignment) => nameFault(assignment)),
  ];
}

function expectedFor(deployment: Deployment): Assignment[] {
  const { principalType, jobs } = deployment.case;
  return [
    ...deployment.services.flatMap((service) => ofApp(deployment, service)),
    ...(principalType
      ? deployment.models.map((model) => `${PRINCIPAL}, ${principalType}: ${MODEL_USER} on ${model}`)
      : []),
    ...(jobs ? ofJobs(deployment) : []),
  ];
}

function ofApp(deployment: Deployment, service: Service): Assignment[] {
  const insights = deployment.only('Microsoft.Insights/components').id;
  return [
    `${service}, ServicePrincipal: ${BLOB_OWNER} on ${deployment.hostStorage(service).id}`,
    `${service}, ServicePrincipal: ${METRICS_PUBLISHER} on ${insights}`,
    ...deployment.models.map((model) => `${service}, ServicePrincipal: ${MODEL_USER} on ${model}`),
  ];
}

function ofJobs({ jobsStorage: { id }, case: { principalType } }: Deployment): Assignment[] {
  const container = `${id}/blobServices/default/containers`;
  const queue = `${id}/queueServices/default/queues/${JOBS}`;
  return [
    `api, ServicePrincipal: ${BLOB_CONTRIBUTOR} on ${container}/${JOBS}`,
    `api, ServicePrincipal: ${BLOB_READER} on ${container}/images`,
    `api, ServicePrincipal: ${QUEUE_SENDER} on ${queue}`,
    `api, ServicePrincipal: ${QUEUE_READER} on ${queue}`,
    `jobs, ServicePrincipal: ${BLOB_CONTRIBUTOR} on ${container}/${JOBS}`,
    `jobs, ServicePrincipal: ${BLOB_READER} on ${container}/images`,
    `jobs, ServicePrincipal: ${QUEUE_CONTRIBUTOR} on ${queue}`,
    `jobs, ServicePrincipal: ${QUEUE_SENDER} on ${queue}-poison`,
    ...(principalType ? [`${PRINCIPAL}, ${principalType}: ${BLOB_CONTRIBUTOR} on ${container}/images`] : []),
  ];
}

function describe(deployment: Deployment, assignment: Resource): Assignment {
  return `${nameOf(deployment, String(assignment.properties['principalId']))}, ${permissionOf(assignment)}`;
}

/** Returns the kind of principal, the role and the resource of an assignment. */
export function permissionOf(assignment: Resource): string {
  const { principalType, roleDefinitionId } = assignment.properties;
  return `${String(principalType)}: ${String(roleDefinitionId).split('/').at(-1)} on ${scopeOf(assignment)}`;
}

function nameOf(deployment: Deployment, principalId: string): string {
  const app = deployment.services.find((service) => principalId === `[${deployment.identity(service).principalId}]`);
  return app ?? principalId;
}

/** Returns the resource of an assignment. If the assignment's name is an expression, so is the id. */
function scopeOf({ id }: Resource): string {
  const [, ofExpression] =
    /^\[extensionResourceId\('([^']+)', 'Microsoft\.Authorization\/roleAssignments'/.exec(id) ?? [];
  return ofExpression ?? id.split('/providers/Microsoft.Authorization/')[0] ?? id;
}

/**
 * Checks that the name is made of scope, principal and role. Then a recreated identity gets a new assignment. Azure
 * would reject a change of the old one (RoleAssignmentUpdateNotPermitted).
 */
function nameFault(assignment: Resource): string[] {
  const principal = String(at(assignment, 'properties.principalId'));
  // If the compiler knows the principal, it has computed the name. The same line of Bicep is then checked with
  // the app's assignment, whose name is an expression.
  if (!principal.startsWith('[')) return [];
  const role = String(at(assignment, 'properties.roleDefinitionId')).split('/').at(-1);
  const expected = `[guid('${scopeOf(assignment)}', ${principal.slice(1, -1)}, '${role}')]`;
  return assignment.name === expected ? [] : [`the name of a role assignment is ${assignment.name}, not ${expected}`];
}
