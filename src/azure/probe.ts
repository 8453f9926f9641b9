import { type Deadline, DeadlinePassed } from '../http/deadline.ts';
import type { Settings, Target } from '../config/settings.ts';
import { createClient } from './client.ts';
import { timedOut, upstreamFailure } from './failures.ts';
import type { TokenSource } from './token-source.ts';

/**
 * Checks that a deployment exists and that this identity may use it, without cost: it asks for a completion without
 * messages, which the service refuses. That refusal, or a 429, means that a real request would reach the model.
 * @throws {Problem} if the deployment cannot be reached or used
 */
export async function probeDeployment(
  settings: Settings,
  target: Target,
  tokens: TokenSource | undefined,
  deadline: Deadline,
): Promise<void> {
  const body = { model: target.deployment, messages: [] };
  let token = '';
  try {
    token = tokens ? await deadline.race(tokens.get()) : '';
    const client = createClient(settings, target, async () => token);
    await deadline.race(client.post<unknown>('/chat/completions', { body, maxRetries: 0, signal: deadline.signal }));
  } catch (error) {
    if (error instanceof DeadlinePassed || deadline.signal.aborted) throw timedOut(error);
    const identity = { endpoint: target.endpoint, token };
    const problem = upstreamFailure(error, { identity, isCallersOwn: true, attempts: 1, answerBegun: false });
    if (problem.code !== 'invalid_request' && problem.code !== 'rate_limited') throw problem;
  }
}
