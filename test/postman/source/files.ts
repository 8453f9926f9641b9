import { collection } from './collection.ts';
import { environments } from './environments.ts';

/** The files for Postman, as they are committed: contents by file name. */
export const files: ReadonlyMap<string, string> = new Map([
  ['keyless-vision.postman_collection.json', toFile(collection)],
  ['local.postman_environment.json', toFile(environments.local)],
  ['azure.postman_environment.json', toFile(environments.azure)],
]);

function toFile(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
