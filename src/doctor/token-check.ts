import { tokenFacts } from '../azure/token-facts.ts';
import type { TokenSource } from '../azure/token-source.ts';
import { type Deadline, DeadlinePassed } from '../http/deadline.ts';
import { Problem } from '../http/problem.ts';
import { fail, type Finding, ok, skip } from './check.ts';

/** Whether there is a token, whose it is, and how fast it came. `answeredBy` names the credential, where that is known. */
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
      : 'a token that is no JWT';
    return ok(`${answeredBy() ?? 'signed in'} (${Math.round(performance.now() - started)} ms): ${who}`);
  } catch (error) {
    return problemFinding(error instanceof DeadlinePassed ? await tokens.onTokenTimeout() : error);
  }
}

/** A problem as a finding: its words say what is wrong first, and then what to do. */
export function problemFinding(error: unknown): Finding {
  if (!(error instanceof Problem)) throw error;
  const [, reason = error.detail, step = 'look into the log'] =
    /^(.+?) Next: (.+)$/s.exec(error.detail) ?? /^(.+?\.) (.+)$/s.exec(error.detail) ?? [];
  return fail(`${error.code}: ${reason}`, step);
}
