/**
 * All that answering needs and registration does not, in one place: each file that is loaded by itself, and each that it
 * shares with another, costs a cold start half a millisecond.
 */
export { Model } from './azure/model.ts';
export { chatCompletions } from './functions/chat-completions.ts';
export { processImage } from './functions/process-image.ts';
export { ready } from './functions/ready.ts';
