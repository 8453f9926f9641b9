import { Problem } from '../http/problem.ts';
import { type Attempt, attemptsOf } from './attempts.ts';
import type { CredentialName } from '../config/credential-chain.ts';
import { ExpiredToken, NoTokenInTime } from './no-token.ts';

/** Who was to sign in, and where. */
export interface SignIn {
  readonly chain: readonly CredentialName[];
  readonly inAzure: boolean;
}

/** No token: which credentials were tried, what each said in a line of ours, and what mends it. The library's words are kept as `cause`. */
export function identityUnavailable(cause: unknown, signIn: SignIn): Problem {
  const { attempts, step } = diagnose(cause, signIn);
  const lines = attempts.map(({ credential, said }) => `${credential}: ${said}.`);
  return new Problem(
    'identity_unavailable',
    `The service could not sign in to Azure. ${lines.join(' ')} Next: ${step}.`,
    {
      members: {
        credentials: attempts.map(({ credential }) => credential),
        attempts: attempts.map(({ credential, said }) => ({ credential, said })),
      },
      headers: { 'retry-after': '10' },
      cause,
    },
  );
}

function diagnose(cause: unknown, signIn: SignIn): { attempts: readonly Attempt[]; step: string } {
  const { chain } = signIn;
  if (cause instanceof NoTokenInTime)
    return {
      attempts: allOf(chain, waitsForPerson(chain) ? 'waits for somebody to sign in' : 'no answer in time'),
      step: whenLate(signIn),
    };
  if (cause instanceof ExpiredToken)
    return {
      attempts: allOf(chain, 'the token that came had expired already'),
      step: "check this machine's clock; if it is right, restart the app",
    };
  const attempts = attemptsOf(cause, chain);
  const likeliest = attempts.find(({ setUp }) => setUp) ?? (chain.length === 1 ? attempts[0] : undefined);
  return { attempts, step: likeliest?.fix ?? whenNothingIsSetUp(signIn) };
}

/** Where it is not known which of a chain it was. */
function allOf(chain: SignIn['chain'], said: string): readonly Attempt[] {
  return chain.map((credential) => ({ credential, said, setUp: true }));
}

function waitsForPerson([first]: SignIn['chain']): boolean {
  return first === 'DeviceCodeCredential' || first === 'InteractiveBrowserCredential';
}

function whenLate({ chain, inAzure }: SignIn): string {
  if (chain.includes('DeviceCodeCredential'))
    return 'open the page and enter the code that the app printed, then ask again';
  if (chain.includes('InteractiveBrowserCredential'))
    return 'sign in in the browser window that the app opened, then ask again';
  if (inAzure) return 'try again; if it stays so, restart the app';
  return 'run npm run doctor; on your own machine, AZURE_TOKEN_CREDENTIALS=dev asks no endpoint that only Azure has';
}

function whenNothingIsSetUp({ chain, inAzure }: SignIn): string {
  if (inAzure)
    return "switch on the app's system-assigned identity (az functionapp identity assign, or az containerapp identity assign --system-assigned)";
  if (chain.includes('AzureCliCredential')) return 'run az login';
  return `set up ${chain.join(' or ')}, or set AZURE_TOKEN_CREDENTIALS=dev and run az login`;
}
