import { isRecord } from '../config/json-object.ts';
import { asChunk, merged } from './answer-kind.ts';

/** The differences between OpenAI's two APIs. */
export interface Protocol {
  readonly path: string;
  /** Whether the service has it only below `/openai/v1/`, whatever OPENAI_API_VERSION says. */
  readonly isV1Only: boolean;
  /** Turns a whole answer into the single event of a stream. Returns undefined if it is not an answer. */
  readonly toEvent: (answer: unknown) => object | undefined;
  /** Makes a whole answer from the events of a stream. Returns undefined if they contain no answer. */
  readonly fromEvents: (events: readonly unknown[]) => unknown;
  /** Whether an event of a stream contains a part of the answer's text. */
  readonly hasWords: (event: unknown) => boolean;
}

/** https://platform.openai.com/docs/api-reference/chat */
const chat: Protocol = {
  path: '/chat/completions',
  isV1Only: false,
  toEvent: asChunk,
  fromEvents: merged,
  hasWords(chunk) {
    const choices = isRecord(chunk) && Array.isArray(chunk['choices']) ? chunk['choices'] : [];
    return choices.some((choice: unknown) => {
      const delta = isRecord(choice) ? choice['delta'] : undefined;
      return isRecord(delta) && Boolean(delta['content'] || delta['refusal']);
    });
  },
};

/** https://platform.openai.com/docs/api-reference/responses */
const responses: Protocol = {
  path: '/responses',
  isV1Only: true,
  toEvent: (response) =>
    isRecord(response) && Array.isArray(response['output'])
      ? { type: 'response.completed', sequence_number: 0, response }
      : undefined,
  fromEvents: (events) => events.map((event) => (isRecord(event) ? event['response'] : undefined)).findLast(isRecord),
  hasWords: (event) => isRecord(event) && typeof event['type'] === 'string' && event['type'].endsWith('.delta'),
};

/** Both APIs, by the name that a `ModelRequest` gives. */
export const PROTOCOLS = { chat, responses } as const satisfies Record<string, Protocol>;
