import type { InfoObject, TagObject } from 'openapi3-ts/oas31';
import { version } from '../config/version.ts';

/** The introduction, for a reader who has only the document. */
export const info: InfoObject = {
  title: 'Keyless Vision',
  version,
  description: `Ask a vision model about images, without a key to the model. The app checks the bytes of each image,
and asks an Azure OpenAI deployment as a managed identity.

Every failure is \`application/problem+json\` (RFC 9457) with a stable \`code\`, a \`detail\` that says what to do,
and the \`requestId\` to look for in the log. OpenAI's routes send the same in OpenAI's error format.

Send large bodies with \`Transfer-Encoding: chunked\`: the Functions host forwards them as they arrive. If a body has
a Content-Length, the host first reads all of it into a temporary file on the instance and into memory. That takes
three to five times the CPU, and more memory. The app itself writes nothing to disk. An early answer, such as 413,
reaches you after you have sent the whole request. The host itself answers 500 without a body to more than 100 MiB and
to less than 240 bytes per second, 431 to headers over 32 KB, and 414 to a request line over 8 KB.

A path that is not listed here gets 404 \`not_found\`, which lists the paths. If a path does not support a method, the
answer is 405 \`method_not_allowed\`, with the supported methods in Allow.`,
};

/** The groups of operations. */
export const tags: TagObject[] = [
  { name: 'ask', description: 'Questions about images' },
  { name: 'watch', description: 'Is the app alive, and can it answer questions?' },
  { name: 'learn', description: 'This document, and a page to try the app' },
];
