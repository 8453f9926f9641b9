import type { Template } from '../template.ts';

/** The optional features, and the value that turns each off. */
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

/** The minimum and the maximum of the parameters for which Azure or the host has a limit. */
const RANGES: Readonly<Record<string, readonly [least: number, greatest: number | undefined]>> = {
  // https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan
  maximumInstanceCount: [40, 1000],
  httpConcurrency: [1, 1000],
  // The host rejects any request over 100 MiB.
  requestBodyLimitMiB: [1, 100],
  dailyLogQuotaGB: [1, undefined],
};

/** The allowed values of parameters. */
const CHOICES: Readonly<Record<string, string>> = {
  principalType: 'User,ServicePrincipal',
  // 512 MB is only enough for the host itself.
  instanceMemoryMB: '2048,4096',
};

/**
 * Checks that `azd env set` and the pipeline can set every parameter, that optional features are off by default, that
 * azd asks for a region that works, and the limits of the parameters.
 */
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
    ...variables
      .filter((name) => !/^(?:AZURE|VISION)_\w+$/.test(name))
      .map((name) => `the variable ${name} has no prefix AZURE_ or VISION_`),
    ...ours
      .filter((name) => !azure.pipeline.variables.includes(name))
      .map((name) => `azure.yaml does not pass ${name} to the pipeline`),
    ...azure.pipeline.variables.filter((name) => !ours.includes(name)).map((name) => `no parameter reads ${name}`),
    ...Object.entries(SWITCHES)
      .filter(([name, off]) => declared[name]?.defaultValue !== off)
      .map(([name]) => `${name} is not off by default`),
    ...(declared['location']?.metadata?.azd?.type === 'location'
      ? []
      : ['azd does not know that location is a region']),
    ...((declared['location']?.allowedValues?.length ?? 0) > 0
      ? []
      : ['location allows regions without Flex Consumption']),
    ...Object.entries(CHOICES)
      .filter(([name, choice]) => declared[name]?.allowedValues?.join() !== choice)
      .map(([name]) => `${name} allows ${declared[name]?.allowedValues?.join() ?? 'anything'}`),
    ...Object.entries(RANGES)
      .filter(([name, [least, most]]) => declared[name]?.minValue !== least || declared[name]?.maxValue !== most)
      .map(([name, [least, most]]) => `${name} is not limited to ${least} to ${most ?? 'any number'}`),
  ];
}
