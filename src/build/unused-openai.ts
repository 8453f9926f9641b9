import type { Edit } from './edited-sources.ts';

const CLASS = /^export class (\w+)/gm;

/**
 * Empties classes of the OpenAI client: its resources (`client.images`, `client.videos` and some 150 more), the pages of
 * their lists, and the ways to sign in at api.openai.com. The client refers to each, so that no bundler may leave it out,
 * but the app asks one path through the client itself, `client.post`, with a token of its own. They are most of the
 * library, and every cold start would compile them.
 */
export const unusedOpenAi: readonly Edit[] = [
  {
    file: /[\\/]openai[\\/](?:resources[\\/].*|core[\\/]pagination|auth[\\/]workload-identity-auth)\.mjs$/,
    // A file without any passes on what others export. What is neither, nobody is to need: the build fails then.
    edit: (source) => emptied(source) || source,
  },
  {
    file: /[\\/]openai[\\/]internal[\\/]auth[\\/]x509-workload-identity-auth\.mjs$/,
    // The client asks the functions ahead of the class whether it is to sign in so.
    edit: (source) => source.slice(0, source.search(/^export class /m)) + emptied(source),
  },
];

/** One class for all of a file: each that there is would be made in every cold start. */
function emptied(source: string): string {
  const names = [...source.matchAll(CLASS)].map(([, name]) => `Unused as ${name}`);
  return names.length > 0 ? `class Unused {}\nexport { ${names.join(', ')} };\n` : '';
}
