/** A module and one that must be deployed before it, where no value passes between the two to say so. */
const AFTER = [
  // They name what the other one creates.
  ['modelAccess', 'model'],
  ['access', 'second'],
  ['signIn', 'app'],
  // Writing the settings restarts the app, which must have its roles, its private endpoints and its sign-in by then. A host
  // with a queue trigger ends if its queue is missing or refuses.
  ['settings', 'appAccess'],
  ['settings', 'jobsAccess'],
  ['settings', 'privateAccess'],
  ['settings', 'signIn'],
  ['jobsSettings', 'jobsAppAccess'],
  ['jobsSettings', 'jobsAccess'],
  ['jobsSettings', 'privateAccess'],
  ['jobsAccess', 'jobsStorage'],
] as const;

/** Modules and what each waits for, as `getDeploymentGraph` returns them. */
interface Graph {
  readonly nodes: readonly { readonly name: string }[];
  readonly edges: readonly { readonly source: string; readonly target: string }[];
}

/** Each module waits for what it needs. */
export function order({ nodes, edges }: Graph): string[] {
  const names = new Set(nodes.map(({ name }) => name));
  const waits = new Set(edges.map(({ source, target }) => `${source} ${target}`));
  return AFTER.filter(([later, earlier]) => names.has(later) && names.has(earlier))
    .filter(([later, earlier]) => !waits.has(`${later} ${earlier}`))
    .map(([later, earlier]) => `${later} does not wait for ${earlier}`);
}
