/** A set of parameters: the name of its file in `cases/`, and what it sets. */
export interface Case {
  readonly name: string;
  readonly memoryMB?: 4096;
  readonly privateNetworking?: true;
  readonly userAssignedIdentity?: true;
  /** The client ids of the applications that may call. */
  readonly signIn?: readonly string[];
  readonly secondRegion?: true;
  readonly jobs?: true;
  /** The URL of a container in another account, from which images may be read. */
  readonly imageContainers?: string;
  /** The resource id of a model account that exists already. */
  readonly existingModel?: string;
  /** The kind of principal that deploys, and that may call the model, too. */
  readonly principalType?: 'User' | 'ServicePrincipal';
  readonly corsOrigins?: readonly string[];
  readonly alertEmail?: true;
  readonly otlp?: true;
}

const existingIn = (subscription: string): string =>
  `/subscriptions/${subscription}/resourceGroups/rg-models` +
  '/providers/Microsoft.CognitiveServices/accounts/shared-models';

/** The object id of the principal that deploys, in every case that has one. */
export const PRINCIPAL = '22222222-2222-2222-2222-222222222222';
/** The app's registration in Entra ID, in every case with sign-in. */
export const CLIENT = '33333333-3333-3333-3333-333333333333';

export const CASES: readonly Case[] = [
  { name: 'default' },
  { name: 'private-networking', privateNetworking: true },
  { name: 'user-assigned-identity', userAssignedIdentity: true },
  { name: 'sign-in', signIn: ['55555555-5555-5555-5555-555555555555', '66666666-6666-6666-6666-666666666666'] },
  { name: 'second-region', secondRegion: true },
  // The account is in another subscription than the app.
  {
    name: 'existing-account',
    existingModel: existingIn('44444444-4444-4444-4444-444444444444'),
    privateNetworking: true,
    alertEmail: true,
  },
  { name: 'pipeline', principalType: 'ServicePrincipal' },
  { name: 'large-instances', memoryMB: 4096 },
  { name: 'jobs', jobs: true, principalType: 'User' },
  {
    name: 'everything',
    memoryMB: 4096,
    privateNetworking: true,
    userAssignedIdentity: true,
    signIn: [CLIENT],
    secondRegion: true,
    jobs: true,
    imageContainers: 'https://photos.blob.core.windows.net/2026',
    existingModel: existingIn('00000000-0000-0000-0000-000000000001'),
    principalType: 'User',
    corsOrigins: ['https://a.example.com', 'https://b.example.com'],
    alertEmail: true,
    otlp: true,
  },
];
