import type { Handle } from '../http/create-handler.ts';
import { openAiError } from '../http/openai-error.ts';
import { readChat } from '../request/chat.ts';
import { chatChunks, chatCompletion } from '../vision/chat-answer.ts';
import { modelOf, usageOf } from '../vision/completion.ts';
import { openAiRoute } from './openai-route.ts';
import type { Service } from './service.ts';

/** `POST /api/chat/completions`: OpenAI's wire format, so that any client of it works through this app without a key. */
export function chatCompletions(service: Service): Handle {
  return openAiRoute(service, {
    read: readChat,
    whole: chatCompletion,
    events: chatChunks,
    factsOf(answer) {
      const model = modelOf(answer);
      const usage = usageOf(answer);
      return { ...(model ? { model } : {}), ...(usage ? { usage } : {}) };
    },
    format: (event) => `data: ${JSON.stringify(event)}\n\n`,
    end: 'data: [DONE]\n\n',
    failed: openAiError,
  });
}
