import type { CredentialName } from '../config/credential-chain.ts';
import { runsInAzure } from '../config/settings.ts';
import { Problem } from '../http/problem.ts';
import { causes } from './connection-failure.ts';
import {
  errorName,
  messageOf,
  missingVariables,
  otherwise,
  personFailure,
  toolFailure,
  unreachable,
  unreadableFile,
} from './credential-failures.ts';
import type { Exchange, Exchanges } from './credential-http.ts';
import { entraError, type Said } from './entra-errors.ts';
import { managedIdentityFailure } from './managed-identity-failure.ts';
import { ExpiredToken, NoTokenInTime } from './token-source.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** Who was to sign in, and where. */
export interface SignIn {
  readonly chain: readonly CredentialName[];
  readonly variables: Variables;
  /** What was asked over HTTP, and what came back. */
  readonly exchanges: Exchanges;
}

/** What became of one credential. */
export interface Attempt extends Said {
  readonly credential: CredentialName;
  /** Whether somebody meant it to work: a chain tries credentials that nobody has set up. */
  readonly setUp: boolean;
}

const RETRY_AFTER_SECONDS = '10';

/**
 * No token: which credentials were tried, what each said in a line of ours, and what mends it. The library's own words may
 * hold secrets; they are kept as `cause`.
 */
export async function identityUnavailable(cause: unknown, signIn: SignIn): Promise<Problem> {
  const { attempts, step } = await diagnose(cause, signIn);
  const lines = attempts.map(({ credential, said }) => `${credential}: ${said}.`);
  const { endpoint } = signIn.exchanges;
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

/** What each credential of a chain said, in the chain's order, out of the error that the chain ended with. */
export async function attemptsOf(cause: unknown, signIn: SignIn): Promise<readonly Attempt[]> {
  const { chain, variables } = signIn;
  const errors = errorsOf(cause, signIn);
  if (errorName(cause) === 'AuthenticationError' && chain.length > 1) {
    // The chain ended with it, and did not come to the others.
    const ended = chain.find((name) => messageOf(cause).includes(name));
    return ended ? [await attempt(ended, cause, signIn)] : [];
  }
  const attempts: Attempt[] = [];
  for (const credential of chain) {
    // The library leaves this one out where it is not set up; all others say something.
    const isLeftOut = credential === 'WorkloadIdentityCredential' && missingVariables(credential, variables);
    const error = isLeftOut ? undefined : errors.shift();
    attempts.push(await attempt(credential, error, signIn));
  }
  return attempts;
}

async function diagnose(cause: unknown, signIn: SignIn): Promise<{ attempts: readonly Attempt[]; step: string }> {
  const { chain } = signIn;
  const endpoint = chain.includes('ManagedIdentityCredential') ? refusalOf(signIn.exchanges.endpoint) : undefined;
  if (cause instanceof NoTokenInTime && !endpoint)
    return {
      attempts: allOf(chain, waitsForPerson(chain) ? 'waits for somebody to sign in' : 'no answer in time'),
      step: whenLate(signIn),
    };
  if (cause instanceof ExpiredToken)
    return {
      attempts: allOf(chain, 'the token that came had expired already'),
      step: "check this machine's clock; if it is right, restart the app",
    };
  const attempts =
    cause instanceof NoTokenInTime
      ? [await attempt('ManagedIdentityCredential', undefined, signIn)]
      : await attemptsOf(cause, signIn);
  const likeliest = attempts.find(({ setUp }) => setUp) ?? (chain.length === 1 ? attempts[0] : undefined);
  return { attempts, step: likeliest?.fix ?? whenNothingIsSetUp(signIn) };
}

/** AggregateAuthenticationError lists one error for each credential; any other is of the credential which ended the chain. */
function errorsOf(cause: unknown, { chain }: SignIn): unknown[] {
  if (cause instanceof Error && 'errors' in cause && Array.isArray(cause.errors)) return [...cause.errors];
  // A chain says so where none of its credentials could even be made.
  return errorName(cause) === 'CredentialUnavailableError' && !waitsForPerson(chain) ? [] : [cause];
}

async function attempt(credential: CredentialName, error: unknown, signIn: SignIn): Promise<Attempt> {
  const { variables, exchanges } = signIn;
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
    personFailure(credential, error, exchanges.authority) ??
    unreachable(error, exchanges.authority) ??
    otherwise(error);
  return { credential, setUp: said.fix !== undefined, ...said };
}

/** An answer that says no; undefined if there was none, or a good one. */
function refusalOf(exchange: Exchange | undefined): Exchange | undefined {
  return exchange && 'status' in exchange && exchange.status >= 400 ? exchange : undefined;
}

/** Where it is not known which of a chain it was. */
function allOf(chain: SignIn['chain'], said: string): readonly Attempt[] {
  return chain.map((credential) => ({ credential, said, setUp: true }));
}

function waitsForPerson([first]: SignIn['chain']): boolean {
  return first === 'DeviceCodeCredential' || first === 'InteractiveBrowserCredential';
}

function whenLate({ chain, variables }: SignIn): string {
  if (chain.includes('DeviceCodeCredential'))
    return 'open the page and enter the code that the app printed, then ask again';
  if (chain.includes('InteractiveBrowserCredential'))
    return 'sign in in the browser window that the app opened, then ask again';
  if (runsInAzure(variables)) return 'try again; if it stays so, restart the app';
  return 'run npm run doctor; on your own machine, AZURE_TOKEN_CREDENTIALS=dev asks no endpoint that only Azure has';
}

function whenNothingIsSetUp({ chain, variables }: SignIn): string {
  if (runsInAzure(variables))
    return "switch on the app's system-assigned identity (az functionapp identity assign, or az containerapp identity assign --system-assigned)";
  if (chain.includes('AzureCliCredential')) return 'run az login';
  return `set up ${chain.join(' or ')}, or set AZURE_TOKEN_CREDENTIALS=dev and run az login`;
}
