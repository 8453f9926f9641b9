import { meaningful } from '../bicep-file.ts';
import type { Template } from '../template.ts';

/** main.parameters.json and the parameters of main.bicep are the same, so that each can be set with `azd env set`; the pipeline gets them too. */
export function parameters({ main, parameters: given, azure }: Template): string[] {
  const variables = Object.values(given).flatMap(({ value }) => /^\$\{(?!AZURE_)(\w+)\}$/.exec(value)?.[1] ?? []);
  const declared = main.all('param').map(({ name }) => name);
  return [
    ...Object.keys(given)
      .filter((name) => !declared.includes(name))
      .map((name) => `main.bicep has no parameter ${name}`),
    ...declared.filter((name) => !(name in given)).map((name) => `main.parameters.json does not set ${name}`),
    ...variables
      .filter((name) => !azure.pipeline.variables.includes(name))
      .map((name) => `the pipeline does not get ${name}`),
  ];
}

/** Each switch, and the value at which it is off. */
const SWITCHES: Readonly<Record<string, string>> = {
  userAssignedIdentity: 'false',
  existingModelAccountId: "''",
  secondModelLocation: "''",
  privateNetworking: 'false',
  signInClientId: "''",
};

/** Switches are off unless somebody turns them on. */
export function switches({ main }: Template): string[] {
  return Object.entries(SWITCHES)
    .filter(([name, off]) => {
      const parameter = main.find(name);
      return !parameter || meaningful(parameter.node).at(-1)?.text !== off;
    })
    .map(([name]) => `${name} is not off by default`);
}
