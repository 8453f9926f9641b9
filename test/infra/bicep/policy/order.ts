/** A file and one that must be deployed before it, where no value passes between the two to say so. */
const AFTER = [
  // They name what the other one creates.
  ['model-access.bicep', 'model.bicep'],
  ['sign-in.bicep', 'app.bicep'],
  // Writing the settings restarts the app, which must have its roles, its private endpoints and its sign-in by then.
  ['settings.bicep', 'app-access.bicep'],
  ['settings.bicep', 'private-access.bicep'],
  ['settings.bicep', 'sign-in.bicep'],
] as const;

/** Modules and what each waits for, as `getDeploymentGraph` returns them. */
interface Graph {
  readonly nodes: readonly { readonly name: string; readonly relativePath?: string }[];
  readonly edges: readonly { readonly source: string; readonly target: string }[];
}

/** Each module waits for what it needs. */
export function order({ nodes, edges }: Graph): string[] {
  const files = new Map(nodes.map(({ name, relativePath }) => [name, relativePath]));
  const waits = new Set(edges.map(({ source, target }) => `${files.get(source)} ${files.get(target)}`));
  const deployed = new Set(files.values());
  return AFTER.filter(([later, earlier]) => deployed.has(later) && deployed.has(earlier))
    .filter(([later, earlier]) => !waits.has(`${later} ${earlier}`))
    .map(([later, earlier]) => `${later} does not wait for ${earlier}`);
}
