import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The repository, with a slash at the end. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The paths of all documents of this repository. */
export const DOCUMENTS: readonly string[] = globSync(['**/*.md', '.github/**/*.md'], {
  cwd: ROOT,
  exclude: ['**/node_modules', 'dist', '.azurite'],
}).toSorted();

/** The text of a document. */
export function readDocument(path: string): string {
  return readFileSync(ROOT + path, 'utf8');
}

/** What stands in the code blocks of a language, in their order. */
export function codeBlocks(markdown: string, language: string): string[] {
  return [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)\\n\`\`\``, 'gm'))].map(
    ([, text]) => text ?? '',
  );
}
