import { APIError } from 'openai';
import * as v from 'valibot';
import { DEFAULT_API_VERSION, type Settings, type Target } from '../../config/settings.ts';
import { createClient } from '../../azure/client.ts';
import { EpochSeconds } from '../../azure/token-facts.ts';
import type { TokenSource } from '../../azure/token-source.ts';

/** The response of https://learn.microsoft.com/rest/api/azureopenai/models/list */
const ModelList = v.object({
  data: v.array(
    v.object({
      id: v.string(),
      lifecycle_status: v.optional(v.string()),
      deprecation: v.optional(v.object({ inference: v.optional(EpochSeconds) })),
    }),
  ),
});

/** The lifecycle of a model, as the resource reports it. */
export interface Lifecycle {
  readonly status: string;
  /** When the model stops answering; null if the resource does not say. */
  readonly retires: Date | null;
}

/**
 * Asks the resource for a model's lifecycle. This needs no role on the subscription. Returns undefined if the resource
 * does not answer, or does not know the model.
 */
export async function readLifecycle(
  settings: Settings,
  target: Target,
  tokens: TokenSource | undefined,
  model: string,
): Promise<Lifecycle | undefined> {
  // The version-free API also lists models, but without their dates.
  const apiVersion = settings.apiVersion === 'v1' ? DEFAULT_API_VERSION : settings.apiVersion;
  const client = createClient({ ...settings, apiVersion }, target, async () => tokens?.get() ?? '');
  try {
    const list = await client.get<unknown>('/models', { maxRetries: 1 });
    const found = v.is(ModelList, list) ? list.data.find(({ id }) => id === model) : undefined;
    if (!found) return undefined;
    const seconds = found.deprecation?.inference;
    return {
      status: found.lifecycle_status ?? 'unknown',
      retires: seconds === undefined ? null : new Date(seconds * 1000),
    };
  } catch (error) {
    if (error instanceof APIError) return undefined;
    throw error;
  }
}
