const PLACEHOLDER = 'PLACEHOLDER';
const CONTENT = [
  { type: 'text', text: 'What is in this picture?' },
  { type: 'image_url', image_url: { url: `data:image/jpeg;base64,${PLACEHOLDER}` } },
];
const [HEAD = '', TAIL = ''] = JSON.stringify({
  model: 'vision',
  messages: [{ role: 'user', content: CONTENT }],
  max_completion_tokens: 4096,
}).split(PLACEHOLDER);

/**
 * Makes the body of a chat completion request with an image of this size, all zero bytes. It allocates only this one
 * buffer, so that no garbage disturbs what is measured.
 */
export function readyMade(imageBytes: number): Buffer {
  const base64 = 4 * Math.ceil(imageBytes / 3);
  const body = Buffer.alloc(HEAD.length + base64 + TAIL.length, 'A');
  body.write(HEAD);
  body.write(TAIL, HEAD.length + base64);
  return body;
}
