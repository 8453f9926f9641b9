import * as v from 'valibot';
import type { Child } from './child.ts';
import { Cost } from './meter.ts';
import type { Target } from './post.ts';

/** OpenAI's two formats for a request, as the last part of their paths. */
export const APIS = ['chat/completions', 'responses'] as const;
export type Api = (typeof APIS)[number];

/** A process that serves requests and measures itself. */
export class Measured {
  readonly #child: Child;
  readonly url: string;

  protected constructor(child: Child, url: string) {
    this.#child = child;
    this.url = url;
  }

  get alive(): boolean {
    return this.#child.alive;
  }

  /** A request with the image as its raw body. */
  target(image: Buffer): Target {
    return {
      url: `${this.url}/api/processImage?instructions=What%20is%20in%20this%20picture%3F`,
      headers: { 'content-type': 'image/jpeg' },
      body: image,
      minBytes: 4 * Math.ceil(image.length / 3),
    };
  }

  /** A request with the image as a data URL, in one of OpenAI's formats. */
  openAiTarget(api: Api, image: Buffer): Target {
    const url = `data:image/jpeg;base64,${image.toString('base64')}`;
    const content =
      api === 'responses' ? [{ type: 'input_image', image_url: url }] : [{ type: 'image_url', image_url: { url } }];
    const question = [{ role: 'user', content }];
    return {
      url: `${this.url}/api/${api}`,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(api === 'responses' ? { input: question } : { messages: question })),
      minBytes: 4 * Math.ceil(image.length / 3),
    };
  }

  /** Takes the current memory as that of the idle process. The peak counts from now on, too. */
  async idle(): Promise<void> {
    await this.#child.ask('idle', v.literal(true));
  }

  /** Starts to count CPU time, and to watch the event loop. */
  async begin(): Promise<void> {
    await this.#child.ask('begin', v.literal(true));
  }

  /** Costs since {@link begin}, and memory since {@link idle}. */
  async cost(): Promise<Cost> {
    return this.#child.ask('read', Cost);
  }

  /** The current RSS in bytes. */
  async rss(): Promise<number> {
    return this.#child.ask('rss', v.number());
  }

  /** The end of its stdout and stderr, for error messages. */
  get output(): string {
    return this.#child.output;
  }

  async stop(): Promise<void> {
    await this.#child.stop();
  }
}
