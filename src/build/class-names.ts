import type { Edit } from './edited-sources.ts';

/**
 * Keeps the names of those classes whose names are told: the OpenAI client's goes into User-Agent, a credential's into the
 * log of signing in. esbuild's own `keepNames` keeps them all, and names each closure anew when it is made: 3 % of a small
 * request, and 7 ms of a cold start.
 */
export const classNames: Edit = {
  file: /[\\/]openai[\\/](?:client|azure)\.mjs$|[\\/](?:environment|workloadIdentity|managedIdentity|visualStudioCode|azureCli|azurePowerShell|azureDeveloperCli)Credential(?:[\\/]index)?\.js$/,
  edit(source, path) {
    // A field and no statement after the class, for that would keep the class in the bundle where nobody uses it.
    const named = source.replace(/^export class (\w+)[^{]*\{/gm, (head, name) => `${head} static name = '${name}';`);
    if (named === source) throw new Error(`${path} exports no class any more: see where the class went whose name is told.`);
    return named;
  },
};
