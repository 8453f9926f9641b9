/** A chat completion request about an image, encoded whole. */
export function readyMade(image: Buffer): Buffer {
  const url = `data:image/jpeg;base64,${image.toString('base64')}`;
  const content = [{ type: 'text', text: 'What is in this picture?' }, { type: 'image_url', image_url: { url } }];
  return Buffer.from(JSON.stringify({ model: 'vision', messages: [{ role: 'user', content }], max_completion_tokens: 4096 }));
}
