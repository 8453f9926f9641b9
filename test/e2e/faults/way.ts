/** A question as an HTTP request in one way of asking. */
export interface Sent {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer<ArrayBuffer>;
}

/** A question, before it is sent in one of the ways. */
export interface Question {
  readonly images: readonly Buffer[];
  /** The other fields, as in JSON. Chat has only the instructions. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** One way of asking: how the images are sent, and how the answer is returned. */
export interface Way {
  readonly name: string;
  readonly body: 'raw' | 'multipart' | 'JSON' | 'chat';
  readonly stream: boolean;
  put(question: Question): Promise<Sent>;
}

const bodies: Record<Way['body'], (question: Question, stream: boolean) => Sent | Promise<Sent>> = {
  raw({ images: [image = Buffer.alloc(0)], fields }) {
    const query = new URLSearchParams(
      Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, textOf(value)])),
    );
    return {
      path: `/api/processImage?${query.toString()}`,
      headers: { 'content-type': 'application/octet-stream' },
      body: Buffer.from(image),
    };
  },
  async multipart({ images, fields }) {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, textOf(value));
    for (const image of images) form.append('image', new Blob([new Uint8Array(image)]), 'image');
    const encoded = new Response(form);
    const body = Buffer.from(await encoded.arrayBuffer());
    return { path: '/api/processImage', headers: { 'content-type': encoded.headers.get('content-type') ?? '' }, body };
  },
  JSON({ images, fields }) {
    return json('/api/processImage', {
      ...fields,
      images: images.map((image) => `data:image/png;base64,${image.toString('base64')}`),
    });
  },
  chat({ images, fields: { instructions } }, stream) {
    const parts = images.map((image) => ({
      type: 'image_url',
      image_url: { url: `data:image/png;base64,${image.toString('base64')}` },
    }));
    const content = [{ type: 'text', text: instructions }, ...parts];
    return json('/api/chat/completions', {
      model: 'any',
      messages: [{ role: 'user', content }],
      ...(stream ? { stream } : {}),
    });
  },
};

/** All ways: each kind of body with each kind of answer that it can have. */
export const WAYS: readonly Way[] = [
  way('raw', 'text/plain'),
  ...(['raw', 'multipart', 'JSON'] as const).flatMap((body) => [
    way(body, 'application/json'),
    way(body, 'text/event-stream'),
  ]),
  way('chat', 'application/json'),
  way('chat', 'text/event-stream'),
];

function way(body: Way['body'], accept: string): Way {
  const stream = accept === 'text/event-stream';
  return {
    name: `${body}, ${stream ? 'SSE' : accept}`,
    body,
    stream,
    async put(question) {
      const { path, headers, body: bytes } = await bodies[body](question, stream);
      return { path, headers: { ...headers, accept }, body: bytes };
    },
  };
}

function json(path: string, value: object): Sent {
  return { path, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(value)) };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
