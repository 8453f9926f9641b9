import type { Edit } from './edited-sources.ts';

const CLASS = /^export class \w+/m;

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
    edit: (source) => source.slice(0, source.search(CLASS)) + emptied(source),
  },
];

function emptied(source: string): string {
  const classes = source.match(new RegExp(CLASS, 'gm')) ?? [];
  return classes.map((head) => `${head} {}\n`).join('');
}
