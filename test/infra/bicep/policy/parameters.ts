import type { Template } from '../template.ts';

/** Each switch, and the value at which it is off. */
const SWITCHES: Readonly<Record<string, unknown>> = {
  userAssignedIdentity: false,
  existingModelAccountId: '',
  secondModelLocation: '',
  privateNetworking: false,
  signInClientId: '',
  corsOrigins: '',
  alertEmail: '',
  otlpEndpoint: '',
};

/** Every parameter can be set with `azd env set`, the pipeline gets it too, switches are off, and azd asks for a region that works. */
export function parameters({ parameters: declared, given, azure }: Template): string[] {
  const variables = Object.values(given).map(({ value }) => /^\$\{(\w+)\}$/.exec(value)?.[1] ?? value);
  const ours = variables.filter((name) => name.startsWith('VISION_'));
  return [
    ...Object.keys(given)
      .filter((name) => !(name in declared))
      .map((name) => `main.bicep has no parameter ${name}`),
    ...Object.keys(declared)
      .filter((name) => !(name in given))
      .map((name) => `main.parameters.json does not set ${name}`),
    ...variables.filter((name) => !/^(?:AZURE|VISION)_\w+$/.test(name)).map((name) => `a variable is called ${name}`),
    ...ours
      .filter((name) => !azure.pipeline.variables.includes(name))
      .map((name) => `the pipeline does not get ${name}`),
    ...azure.pipeline.variables.filter((name) => !ours.includes(name)).map((name) => `no parameter reads ${name}`),
    ...Object.entries(SWITCHES)
      .filter(([name, off]) => declared[name]?.defaultValue !== off)
      .map(([name]) => `${name} is not off by default`),
    ...(declared['location']?.metadata?.azd?.type === 'location'
      ? []
      : ['azd does not know that location is a region']),
    ...((declared['location']?.allowedValues?.length ?? 0) > 0
      ? []
      : ['location takes a region without Flex Consumption']),
    ...(declared['instanceMemoryMB']?.allowedValues?.join() === '2048,4096'
      ? []
      : ['instanceMemoryMB takes what the host does not fit in, or what Flex Consumption does not have']),
  ];
}
