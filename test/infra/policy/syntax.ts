import type { Template } from '../template.ts';

/** Every Bicep file can be parsed. */
export function syntax({ files }: Template): string[] {
  return [...files.values()].filter(({ root }) => root.hasError).map(({ name }) => `${name} cannot be parsed`);
}
