import { globSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Node } from 'web-tree-sitter';
import { readSettings } from '../../../src/config/settings.ts';
import { at, type BicepFile, properties, text } from '../bicep-file.ts';
import type { Template } from '../template.ts';

/** What the Functions host itself reads on Flex Consumption. */
const PLATFORM = [
  'AzureWebJobsStorage__accountName',
  'AzureWebJobsStorage__credential',
  'AzureWebJobsStorage__clientId',
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
];
/** Without one of these the app does not run, or not without a secret. */
const NEEDED = [
  'AZURE_OPENAI_ENDPOINT',
  'AZURE_OPENAI_DEPLOYMENT',
  'AZURE_TOKEN_CREDENTIALS',
  'AzureWebJobsStorage__accountName',
  'AzureWebJobsStorage__credential',
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
];

/** The app settings written are those that the app, `@azure/identity` or the platform reads, and all that is needed is there. */
export function appSettings({ files }: Template): string[] {
  const known = new Set([...readByTheApp(), ...readByIdentity(), ...PLATFORM]);
  const written = [...files.values()].flatMap(settingsOf);
  const elsewhere = [...files.values()].filter(({ root }) =>
    root.descendantsOfType('identifier').some((id) => id.text === 'appSettings'),
  );
  return [
    ...written.filter((name) => !known.has(name)).map((name) => `nobody reads the app setting ${name}`),
    ...NEEDED.filter((name) => !written.includes(name)).map((name) => `the app setting ${name} is missing`),
    ...elsewhere.map(({ name }) => `${name} sets app settings beside those of settings.bicep`),
  ];
}

/** Every name that `readSettings` looks at, as it looks. */
function readByTheApp(): Set<string> {
  const names = new Set<string>();
  const record = (_: object, name: string | symbol): undefined => void names.add(String(name));
  try {
    readSettings(new Proxy({}, { get: record }));
  } catch {
    // With nothing set, it is bound to complain; by then it has looked at everything.
  }
  return names;
}

function readByIdentity(): Set<string> {
  const folder = dirname(fileURLToPath(import.meta.resolve('@azure/identity')));
  const sources = globSync('credentials/**/*.js', { cwd: folder }).map((name) =>
    readFileSync(`${folder}/${name}`, 'utf8'),
  );
  return new Set(sources.flatMap((source) => source.match(/\bAZURE_[A-Z_]+\b/g) ?? []));
}

/** The keys of all objects that the value of an `appsettings` resource is made of. */
function settingsOf(file: BicepFile): string[] {
  return file
    .deploys('Microsoft.Web/sites/config')
    .filter(({ value }) => text(at(value, 'name')) === 'appsettings')
    .flatMap(({ value }) => keysOf(file, at(value, 'properties')));
}

function keysOf(file: BicepFile, node: Node | undefined): string[] {
  if (!node) return [];
  if (node.type === 'object') return properties(node).map(([key]) => key);
  const variable = node.type === 'identifier' ? file.find(node.text) : undefined;
  if (variable?.kind === 'var') return keysOf(file, variable.value);
  return node.namedChildren.flatMap((child) => keysOf(file, child));
}
