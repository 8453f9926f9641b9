import type { Template } from '../template.ts';

/** Each switch, and the value at which it is off. */
const SWITCHES: Readonly<Record<string, unknown>> = {
  userAssignedIdentity: false,
  existingModelAccountId: '',
  secondModelLocation: '',
  jobs: false,
  imageContainers: '',
  privateNetworking: false,
  signInClientId: '',
  corsOrigins: '',
  alertEmail: '',
  otlpEndpoint: '',
};

/** The least and the greatest value, where Azure or the host has a limit. */
const RANGES: Readonly<Record<string, readonly [least: number, greatest: number | undefined]>> = {
  // https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan
  maximumInstanceCount: [40, 1000],
  httpConcurrency: [1, 1000],
  // Above 100 MiB the host refuses a request whatever is set here.
  requestBodyLimitMiB: [1, 100],
  dailyLogQuotaGB: [1, undefined],
};

/** What a parameter takes, where that is a choice. */
const CHOICES: Readonly<Record<string, string>> = {
  principalType: 'User,ServicePrincipal',
  // 512 MB is about what the host takes by itself.
  instanceMemoryMB: '2048,4096',
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
    ...Object.entries(CHOICES)
      .filter(([name, choice]) => declared[name]?.allowedValues?.join() !== choice)
      .map(([name]) => `${name} takes ${declared[name]?.allowedValues?.join() ?? 'anything'}`),
    ...Object.entries(RANGES)
      .filter(([name, [least, most]]) => declared[name]?.minValue !== least || declared[name]?.maxValue !== most)
      .map(([name, [least, most]]) => `${name} is not bound to ${least} to ${most ?? 'any number'}`),
  ];
}
