import type { InfoObject, TagObject } from 'openapi3-ts/oas31';
import { version } from '../config/version.ts';

/** What this is, for a person who has only the document. */
export const info: InfoObject = {
  title: 'Keyless Vision',
  version,
  description: `Asks a vision model about images, with no key to the model anywhere: images are checked by their bytes, and an Azure
OpenAI deployment is asked about them as a managed identity.

Whatever goes wrong is \`application/problem+json\` (RFC 9457) with a stable \`code\`, a \`detail\` that says what to do, and
the \`requestId\` under which the log has the rest. OpenAI's
routes say the same in OpenAI's error shape.

Send large bodies with \`Transfer-Encoding: chunked\`: the Functions host passes them on as they arrive. A body with a
Content-Length it first reads whole, into a temporary file on the instance and into memory, which costs about six times the CPU and
four times the memory. The app itself writes nothing to disk. An answer that is decided early, such as 413, reaches you when the
whole request is sent. The host itself answers 500 without a body to more than 100 MiB and to less than 240 bytes a second, 431
to headers over 32 KB, and 414 to a request line over 8 KB.

A path that is not listed here is 404 \`not_found\`, which lists those there are. A method that a path does not take is 405
\`method_not_allowed\`, with the methods it takes in Allow.`,
};

export const tags: TagObject[] = [
  { name: 'ask', description: 'Questions about images' },
  { name: 'watch', description: 'Is it alive, and could it answer?' },
  { name: 'learn', description: 'This document, and a page to try it on' },
];
