import type { Node } from 'web-tree-sitter';
import { at, type BicepFile, type Declaration, meaningful, text } from '../bicep-file.ts';
import type { Template } from '../template.ts';

/** The only roles there are, and what each may be given on. */
const ROLES: Readonly<Record<string, string>> = {
  '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd': 'Microsoft.CognitiveServices/accounts', // Cognitive Services OpenAI User
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': 'Microsoft.Storage/storageAccounts', // Storage Blob Data Owner
  '3913510d-42f4-4e42-8a64-420c390055eb': 'Microsoft.Insights/components', // Monitoring Metrics Publisher
};

/** Every role is one of three, on the one resource that it is for, named by scope, principal and role, with its principal's type. */
export function roles({ files }: Template): string[] {
  const assignments = [...files.values()].flatMap((file) =>
    file.deploys('Microsoft.Authorization/roleAssignments').map((assignment) => ({ file, assignment })),
  );
  const given = new Set(assignments.map(({ file, assignment }) => roleOf(file, assignment)?.id));
  return [
    ...assignments.flatMap(({ file, assignment }) =>
      faults(file, assignment).map((fault) => `${file.name}: ${assignment.name} ${fault}`),
    ),
    ...Object.keys(ROLES)
      .filter((role) => !given.has(role))
      .map((role) => `nobody is given the role ${role}`),
  ];
}

function faults(file: BicepFile, assignment: Declaration): string[] {
  const role = roleOf(file, assignment);
  const scope = at(assignment.value, 'scope')?.text ?? '';
  const target = file.find(scope);
  const principal = at(assignment.value, 'properties', 'principalId')?.text;
  const found: string[] = [];
  if (!role || !(role.id in ROLES)) found.push('gives a role that is not allowed');
  if (target?.kind !== 'resource') found.push('is not on a single resource');
  else if (role && target.reference !== ROLES[role.id]) found.push(`gives its role on ${target.reference}`);
  if (at(assignment.value, 'name')?.text !== `guid(${scope}.id, ${principal}, ${role?.expression})`) {
    found.push('is not named by guid(scope.id, principal, role)');
  }
  if (!at(assignment.value, 'properties', 'principalType')) found.push('has no principalType');
  return found;
}

/** The role's id, and the expression that stands for it. */
function roleOf(file: BicepFile, { value }: Declaration): { id: string; expression: string } | undefined {
  const definition = at(value, 'properties', 'roleDefinitionId');
  const [type, role] = definition ? argumentsOf(definition, 'subscriptionResourceId') : [];
  if (text(type) !== 'Microsoft.Authorization/roleDefinitions' || !role) return undefined;
  const id = text(role) ?? text(file.find(role.text)?.value);
  return id === undefined ? undefined : { id, expression: role.text };
}

function argumentsOf(call: Node, name: string): Node[] {
  const [callee, given] = meaningful(call);
  return call.type === 'call_expression' && callee?.text === name && given ? meaningful(given) : [];
}
