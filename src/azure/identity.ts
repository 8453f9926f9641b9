import { runsInAzure, type Settings } from '../config/settings.ts';
import { createCredential } from './credential.ts';
import { credentialChain } from '../config/credential-chain.ts';
import { TokenSource } from './token-source.ts';

const HANGS_AFTER_MS = 15_000;
/** A person may have to find their second factor first; Entra's codes live as long. */
const PERSON_HANGS_AFTER_MS = 15 * 60_000;

// For telemetry, which finds it loaded here; by itself it would be one more file of every cold start.
export { createCredential };

/** This process's identity as a source of tokens; undefined where a key stands in for it. */
export function createIdentity(
  settings: Settings,
  variables: Readonly<Record<string, string | undefined>>,
): TokenSource | undefined {
  const { auth, scope } = settings;
  if (auth === 'key') return undefined;
  const signIn = { chain: credentialChain(auth, variables), inAzure: runsInAzure(variables) };
  return new TokenSource({
    scope,
    hangsAfterMs: auth === 'identity' ? HANGS_AFTER_MS : PERSON_HANGS_AFTER_MS,
    create: () => createCredential(settings, variables),
    // Loaded where something fails: its words would be compiled in every cold start.
    explain: async (cause) => (await import('./identity-failure.ts')).identityUnavailable(cause, signIn),
  });
}
