import type { Handle } from '../http/create-handler.ts';
import { formatEvent } from '../http/events.ts';
import { openAiError } from '../http/openai-error.ts';
import { readResponsesRequest } from '../request/responses.ts';
import { factsOf, responseEvents, wholeResponse } from '../vision/responses-answer.ts';
import { openAiRoute } from './openai-route.ts';
import type { Service } from './service.ts';

/** `POST /api/responses`: OpenAI's Responses, of which the service stores nothing. */
export function responses(service: Service): Handle {
  return openAiRoute(service, {
    read: readResponsesRequest,
    whole: wholeResponse,
    events: responseEvents,
    factsOf,
    format: (event) => formatEvent('type' in event ? String(event.type) : 'message', event),
    end: '',
    failed(problem, requestId, last) {
      const { error } = openAiError(problem, requestId);
      const { code, message, param } = error;
      // The API has both: members of the event, which its reference describes, and the error that its clients look for.
      return { type: 'error', sequence_number: numberBehind(last), code, message, param, error };
    },
  });
}

/** Events are counted from 0, and clients put them in that order. */
function numberBehind(last: object | undefined): number {
  const number = last && 'sequence_number' in last ? last.sequence_number : undefined;
  return typeof number === 'number' ? number + 1 : 0;
}
