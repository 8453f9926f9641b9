import type { Node } from 'web-tree-sitter';
import type { BicepFile } from '../bicep-file.ts';
import type { Template } from '../template.ts';

/** `listKeys`, `listAccountSas`, `getSecret` and their kin. */
const FETCHES_SECRET = /^(?:list[A-Z]\w*|getSecret)$/;
const SECRET_PROPERTY = /(?:key\d?|connectionString|password|secret|sas)$/i;
const SECRET_NAME = /(?:KEY\d?|CONNECTION_?STRING|PASSWORD|SECRET|SAS|TOKEN)$/i;
const SECRET_TEXT = /AccountKey=|SharedAccessKey=|SharedAccessSignature=|\bsig=/i;
/** Where telemetry goes, and no way in: the component takes identities only, as the policy on local authentication proves. */
const TELEMETRY = 'APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString';

/** No key, secret or connection string is fetched, taken in or given out. */
export function secrets({ files }: Template): string[] {
  return [...files.values()].flatMap((file) => fetched(file).concat(takenIn(file), givenOut(file), written(file)));
}

function fetched({ name, root }: BicepFile): string[] {
  const calls = root.descendantsOfType('call_expression').map((call) => call.firstChild?.text.split('.').at(-1) ?? '');
  const reads = root
    .descendantsOfType('member_expression')
    .filter((member) => SECRET_PROPERTY.test(member.lastChild?.text ?? '') && member.parent?.text !== TELEMETRY);
  return [
    ...calls.filter((call) => FETCHES_SECRET.test(call)).map((call) => `${name} calls ${call}`),
    ...reads.map((member) => `${name} reads ${member.text}`),
  ];
}

function takenIn(file: BicepFile): string[] {
  const secure = file.root.descendantsOfType('decorator').some((decorator) => decorator.text.includes('secure('));
  const named = file.all('param').filter(({ name }) => SECRET_NAME.test(name));
  return [
    ...(secure ? [`${file.name} takes a secure parameter`] : []),
    ...named.map(({ name }) => `${file.name} takes the parameter ${name}`),
  ];
}

function givenOut(file: BicepFile): string[] {
  return file
    .all('output')
    .filter(({ name }) => SECRET_NAME.test(name))
    .map(({ name }) => `${file.name} gives out ${name}`);
}

function written({ name, root }: BicepFile): string[] {
  return root
    .descendantsOfType('string')
    .filter((string: Node) => SECRET_TEXT.test(string.text))
    .map(() => `${name} holds a secret in a string`);
}
