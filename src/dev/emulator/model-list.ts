import { MODEL } from './completion.ts';

const DAY_S = 24 * 60 * 60;
const now = Math.floor(Date.now() / 1000);

/** What the resource could deploy, as `GET /openai/models` tells it: dates in seconds since 1970, retirement among them. */
export const MODEL_LIST = [
  model(MODEL, 'generally-available', 365),
  model('emulated-old-vision-2025-01-01', 'deprecated', 30),
];

function model(id: string, lifecycle: string, daysLeft: number): object {
  return {
    id,
    object: 'model',
    status: 'succeeded',
    lifecycle_status: lifecycle,
    created_at: now - 200 * DAY_S,
    deprecation: { inference: now + daysLeft * DAY_S },
    capabilities: { chat_completion: true, inference: true, completion: false, embeddings: false, fine_tune: false },
  };
}
