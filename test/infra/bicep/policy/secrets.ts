import type { Template } from '../template.ts';

/** `listKeys`, `listAccountSas`, `getSecret` and their kin; `list` and `reference` are other functions. */
const FETCHES_SECRET = /\b(?:list[A-Z]\w*|getSecret)\s*\(/;
const SECRET_PROPERTY = /\.(?:\w*key\d?|connectionString|password|\w*secret|\w*sas)\b(?!\()/i;
const SECRET_NAME = /(?:KEY\d?|CONNECTION_?STRING|PASSWORD|SECRET|SAS|TOKEN)$/i;
const SECRET_TEXT = /AccountKey=|SharedAccessKey=|SharedAccessSignature=|\bsig=/i;
/** Where telemetry goes, and no way in: the component takes identities only, as another policy makes sure. */
const TELEMETRY = /'APPLICATIONINSIGHTS_CONNECTION_STRING', reference\('\w+'\)\.ConnectionString/g;

/** No key, secret or connection string is fetched, taken in, written or given out, by main.bicep or by any module. */
export function secrets({ compiled }: Pick<Template, 'compiled'>): string[] {
  return walk('', compiled);
}

function walk(path: string, value: unknown): string[] {
  if (typeof value === 'string') return ofText(path, value.replaceAll(TELEMETRY, ''));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]: [string, unknown]) =>
    ofName(path, name, member).concat(walk(`${path}.${name}`, member)),
  );
}

function ofName(path: string, name: string, member: unknown): string[] {
  if (/(?:parameters|outputs)$/.test(path) && SECRET_NAME.test(name)) return [`${path.split('.').at(-1)} has ${name}`];
  if (name === 'type' && typeof member === 'string' && /^secure/i.test(member)) return [`${path} is a secret`];
  return [];
}

function ofText(path: string, text: string): string[] {
  const expression = text.startsWith('[');
  return [
    ...(expression && FETCHES_SECRET.test(text) ? [`${path} fetches a key: ${text}`] : []),
    ...(expression && SECRET_PROPERTY.test(text) ? [`${path} reads a secret: ${text}`] : []),
    ...(SECRET_TEXT.test(text) ? [`${path} holds a secret`] : []),
  ];
}
