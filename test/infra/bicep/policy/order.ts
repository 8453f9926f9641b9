/** Pairs of a module and one that must be deployed before it, which only `dependsOn` expresses. */
const AFTER = [
  // These refer by name to resources that the other module creates.
  ['modelAccess', 'model'],
  ['access', 'second'],
  ['signIn', 'app'],
  // Writing the settings restarts the app. By then, it needs its roles, private endpoints and sign-in. A host with a
  // queue trigger ends if its queue is missing or denies access.
  ['settings', 'appAccess'],
  ['settings', 'jobsAccess'],
  ['settings', 'privateAccess'],
  ['settings', 'signIn'],
  ['jobsSettings', 'jobsAppAccess'],
  ['jobsSettings', 'jobsAccess'],
  ['jobsSettings', 'privateAccess'],
  ['jobsAccess', 'jobsStorage'],
] as const;

/** The modules and their dependencies, as `getDeploymentGraph` returns them. */
interface Graph {
  readonly nodes: readonly { readonly name: string }[];
  readonly edges: readonly { readonly source: string; readonly target: string }[];
}

/** Checks that each module waits for those that it needs. */
export function order({ nodes, edges }: Graph): string[] {
  const names = new Set(nodes.map(({ name }) => name));
  const waits = new Set(edges.map(({ source, target }) => `${source} ${target}`));
  return AFTER.filter(([later, earlier]) => names.has(later) && names.has(earlier))
    .filter(([later, earlier]) => !waits.has(`${later} ${earlier}`))
    .map(([later, earlier]) => `${later} does not wait for ${earlier}`);
}
