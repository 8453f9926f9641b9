import type { Template } from '../template.ts';

/** `listKeys`, `listAccountSas`, `getSecret` and similar functions, but not `list` and `reference`. */
const FETCHES_SECRET = /\b(?:list[A-Z]\w*|getSecret)\s*\(/;
const SECRET_PROPERTY = /\.(?:\w*key\d?|connectionString|password|\w*secret|\w*sas)\b(?!\()/i;
const SECRET_NAME = /(?:KEY\d?|CONNECTION_?STRING|PASSWORD|SECRET|SAS|TOKEN)$/i;
const SECRET_TEXT = /AccountKey=|SharedAccessKey=|SharedAccessSignature=|\bsig=/i;
/** This is no secret: it says where telemetry goes, but the component accepts identities only (see properties.ts). */
const TELEMETRY = /'APPLICATIONINSIGHTS_CONNECTION_STRING', reference\('\w+'\)\.ConnectionString/g;

/** Checks that no module fetches a key, secret or connection string, or has one as a parameter, output or text. */
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
