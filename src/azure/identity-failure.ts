import type { CredentialName } from '../config/credential-chain.ts';
import { runsInAzure } from '../config/settings.ts';
import { Problem } from '../http/problem.ts';
import { causes } from './connection-failure.ts';
import {
  errorName,
  messageOf,
  missingVariables,
  unknownFailure,
  personFailure,
  toolFailure,
  unreachable,
  unreadableFile,
} from './credential-failures.ts';
import type { SignInResult, LastResults } from './credential-http.ts';
import { entraError, type FailureReason } from './entra-errors.ts';
import { managedIdentityFailure } from './managed-identity-failure.ts';
import { ExpiredToken, NoTokenInTime } from './token-source.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** The facts of a sign-in. */
export interface SignIn {
  readonly chain: readonly CredentialName[];
  readonly variables: Variables;
  /** The last results from the identity endpoint and from Entra. */
  readonly lastResults: LastResults;
}

/** How one credential failed. */
export interface Attempt extends FailureReason {
  readonly credential: CredentialName;
  /** Whether somebody has set it up. A chain also tries credentials that nobody has set up. */
  readonly setUp: boolean;
}

const RETRY_AFTER_SECONDS = '10';

/**
 * Makes the problem of a failed sign-in. It says which credentials were tried, why each one failed, and what to do
 * next. The library's own messages may contain secrets, so they are kept only as `cause`.
 */
export async function identityUnavailable(cause: unknown, signIn: SignIn): Promise<Problem> {
  const { attempts, step } = await diagnose(cause, signIn);
  const lines = attempts.map(({ credential, said }) => `${credential}: ${said}.`);
  const { endpoint } = signIn.lastResults;
  const retryAfter = endpoint && 'status' in endpoint ? endpoint.retryAfter : undefined;
  return new Problem(
    'identity_unavailable',
    `The service could not sign in to Azure. ${lines.join(' ')} Next: ${step}.`,
    {
      members: {
        credentials: attempts.map(({ credential }) => credential),
        attempts: attempts.map(({ credential, said }) => ({ credential, said })),
      },
      headers: { 'retry-after': retryAfter ?? RETRY_AFTER_SECONDS },
      cause,
    },
  );
}

/**
 * Says why each credential of a chain failed, in the order of the chain.
 * @param cause - the error of the whole chain
 */
export async function attemptsOf(cause: unknown, signIn: SignIn): Promise<readonly Attempt[]> {
  const { chain, variables } = signIn;
  const errors = errorsOf(cause, signIn);
  if (errorName(cause) === 'AuthenticationError' && chain.length > 1) {
    // This credential ended the chain, so those after it were not tried.
    const ended = chain.find((name) => messageOf(cause).includes(name));
    return ended ? [await attempt(ended, cause, signIn)] : [];
  }
  const attempts: Attempt[] = [];
  for (const credential of chain) {
    // The library reports no error for this one if it is not set up. It reports one for each of the others.
    const isLeftOut = credential === 'WorkloadIdentityCredential' && missingVariables(credential, variables);
    const error = isLeftOut ? undefined : errors.shift();
    attempts.push(await attempt(credential, error, signIn));
  }
  return attempts;
}

async function diagnose(cause: unknown, signIn: SignIn): Promise<{ attempts: readonly Attempt[]; step: string }> {
  const { chain } = signIn;
  const endpoint = chain.includes('ManagedIdentityCredential') ? refusalOf(signIn.lastResults.endpoint) : undefined;
  if (cause instanceof NoTokenInTime && !endpoint)
    return {
      attempts: allOf(chain, waitsForPerson(chain) ? 'is waiting for somebody to sign in' : 'no answer in time'),
      step: onTokenTimeout(signIn),
    };
  if (cause instanceof ExpiredToken)
    return {
      attempts: allOf(chain, 'the new token had expired already'),
      step: "check this machine's clock; if it is right, restart the app",
    };
  const attempts =
    cause instanceof NoTokenInTime
      ? [await attempt('ManagedIdentityCredential', undefined, signIn)]
      : await attemptsOf(cause, signIn);
  const likeliest = attempts.find(({ setUp }) => setUp) ?? (chain.length === 1 ? attempts[0] : undefined);
  return { attempts, step: likeliest?.fix ?? whenNothingIsSetUp(signIn) };
}

/** AggregateAuthenticationError lists an error for each credential. Any other error is of the last credential tried. */
function errorsOf(cause: unknown, { chain }: SignIn): unknown[] {
  if (cause instanceof Error && 'errors' in cause && Array.isArray(cause.errors)) return [...cause.errors];
  // A chain throws this if it could not create any of its credentials.
  return errorName(cause) === 'CredentialUnavailableError' && !waitsForPerson(chain) ? [] : [cause];
}

async function attempt(credential: CredentialName, error: unknown, signIn: SignIn): Promise<Attempt> {
  const { variables, lastResults } = signIn;
  const needs = missingVariables(credential, variables);
  if (needs) return { credential, setUp: false, said: `not set up: needs ${needs}` };
  if (credential === 'ManagedIdentityCredential') return { credential, ...managedIdentityFailure(error, signIn) };
  if (error === undefined) return { credential, setUp: false, said: 'not set up' };
  const said =
    causes(error)
      .map((each) => entraError(messageOf(each)))
      .find(Boolean) ??
    (await unreadableFile(credential, variables)) ??
    toolFailure(credential, error) ??
    personFailure(credential, error, lastResults.authority) ??
    unreachable(error, lastResults.authority) ??
    unknownFailure(error);
  return { credential, setUp: said.fix !== undefined, ...said };
}

/** Returns a response with an error status. Returns undefined if there was no response, or no error. */
function refusalOf(result: SignInResult | undefined): SignInResult | undefined {
  return result && 'status' in result && result.status >= 400 ? result : undefined;
}

/** Gives all credentials of a chain the same reason, if it is not known which one failed. */
function allOf(chain: SignIn['chain'], said: string): readonly Attempt[] {
  return chain.map((credential) => ({ credential, said, setUp: true }));
}

function waitsForPerson([first]: SignIn['chain']): boolean {
  return first === 'DeviceCodeCredential' || first === 'InteractiveBrowserCredential';
}

function onTokenTimeout({ chain, variables }: SignIn): string {
  if (chain.includes('DeviceCodeCredential'))
    return 'open the page and enter the code that the app printed, then try again';
  if (chain.includes('InteractiveBrowserCredential'))
    return 'sign in with the browser window that the app opened, then try again';
  if (runsInAzure(variables)) return 'try again; if it fails again, restart the app';
  return (
    'run npm run doctor; on your own machine, set AZURE_TOKEN_CREDENTIALS=dev to skip endpoints ' +
    'that only Azure has'
  );
}

function whenNothingIsSetUp({ chain, variables }: SignIn): string {
  if (runsInAzure(variables))
    return (
      "switch on the app's system-assigned identity (az functionapp identity assign, or az " +
      'containerapp identity assign --system-assigned)'
    );
  if (chain.includes('AzureCliCredential')) return 'run az login';
  return `set up ${chain.join(' or ')}, or set AZURE_TOKEN_CREDENTIALS=dev and run az login`;
}
