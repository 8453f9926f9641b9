import { randomUUID } from 'node:crypto';

/** The model that the emulated deployment says it runs. */
export const MODEL = 'emulated-vision-2026-11-01';

const SAFE = { filtered: false, severity: 'safe' };
const CONTENT_FILTER_RESULTS = { hate: SAFE, self_harm: SAFE, sexual: SAFE, violence: SAFE };
const PROMPT_FILTER_RESULTS = [{ prompt_index: 0, content_filter_results: CONTENT_FILTER_RESULTS }];

/** What the emulated model says, before it takes the shape of a completion or of a stream. */
export interface Words {
  /** The answer, split so that the pieces put together are the whole. One piece counts as one token. */
  readonly pieces: readonly string[];
  readonly finishReason: 'stop' | 'length';
  readonly promptTokens: number;
}

/** Cuts an answer off where its tokens are used up. */
export function toWords(text: string, maxTokens: number, promptTokens: number): Words {
  const pieces = text.match(/\s*\S+\s*$|\s*\S+/g) ?? [];
  return pieces.length > maxTokens
    ? { pieces: pieces.slice(0, maxTokens), finishReason: 'length', promptTokens }
    : { pieces, finishReason: 'stop', promptTokens };
}

/** A whole chat completion. */
export function completion({ pieces, finishReason, promptTokens }: Words): object {
  return {
    ...head('chat.completion'),
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: pieces.join(''), refusal: null },
        finish_reason: finishReason,
        logprobs: null,
        content_filter_results: CONTENT_FILTER_RESULTS,
      },
    ],
    usage: usage(promptTokens, pieces.length),
    prompt_filter_results: PROMPT_FILTER_RESULTS,
  };
}

/**
 * The same as server-sent events: the prompt's filter results, the role, a chunk for each word, why it ended, usage
 * where asked for, `[DONE]`. The first has no choice and no id, as in Azure; a client that reads `choices[0]` of
 * every chunk breaks on it.
 */
export function completionEvents({ pieces, finishReason, promptTokens }: Words, includeUsage: boolean): string[] {
  const shared = head('chat.completion.chunk');
  const chunk = (delta: object, finish: string | null = null, filter: object = {}) =>
    event({
      ...shared,
      choices: [{ index: 0, delta, finish_reason: finish, logprobs: null, content_filter_results: filter }],
    });
  return [
    event({ id: '', object: '', created: 0, model: '', choices: [], prompt_filter_results: PROMPT_FILTER_RESULTS }),
    chunk({ role: 'assistant', content: '', refusal: null }),
    ...pieces.map((content) => chunk({ content }, null, CONTENT_FILTER_RESULTS)),
    chunk({}, finishReason),
    ...(includeUsage ? [event({ ...shared, choices: [], usage: usage(promptTokens, pieces.length) })] : []),
    'data: [DONE]\n\n',
  ];
}

function event(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

function head(object: string) {
  return {
    id: `chatcmpl-${randomUUID()}`,
    object,
    created: Math.floor(Date.now() / 1000),
    model: MODEL,
    system_fingerprint: 'fp_emulated',
  };
}

function usage(promptTokens: number, completionTokens: number) {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}
