import { tokenFacts } from '../azure/token-facts.ts';
import type { TokenSource } from '../azure/token-source.ts';
import { type Deadline, DeadlinePassed } from '../http/deadline.ts';
import { Problem } from '../http/problem.ts';
import { fail, type Finding, ok, skip } from './check.ts';

/**
 * Checks that a token can be fetched. The finding says whose token it is and how long the fetch took.
 * @param answeredBy - returns the name of the credential that gave the token, if it is known
 */
export async function checkToken(
  tokens: TokenSource | undefined,
  deadline: Deadline,
  answeredBy: () => string | undefined,
): Promise<Finding> {
  if (!tokens) return skip('AZURE_OPENAI_AUTH=key: a key is used instead');
  const started = performance.now();
  try {
    const facts = tokenFacts(await deadline.race(tokens.get()));
    const who = facts
      ? `object ${facts.objectId} of tenant ${facts.tenant}, for ${facts.audience}, until ${facts.expires}`
      : 'a token that is not a JWT';
    return ok(`${answeredBy() ?? 'signed in'} (${Math.round(performance.now() - started)} ms): ${who}`);
  } catch (error) {
    return problemFinding(error instanceof DeadlinePassed ? await tokens.onTokenTimeout() : error);
  }
}

/**
 * Turns a problem into a finding. The first part of a problem's detail says what is wrong, the rest says what to do.
 * @throws whatever else was thrown, if it is not a problem
 */
export function problemFinding(error: unknown): Finding {
  if (!(error instanceof Problem)) throw error;
  const [, reason = error.detail, step = 'look at the log'] =
    /^(.+?) Next: (.+)$/s.exec(error.detail) ?? /^(.+?\.) (.+)$/s.exec(error.detail) ?? [];
  return fail(`${error.code}: ${reason}`, step);
}
