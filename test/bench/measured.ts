import * as v from 'valibot';
import type { Child } from './child.ts';
import { Cost } from './meter.ts';
import type { Target } from './post.ts';

/** OpenAI's two formats for a question. */
export const APIS = ['chat/completions', 'responses'] as const;
export type Api = (typeof APIS)[number];

/** A process that serves requests and is measured. */
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

  target(image: Buffer): Target {
    return {
      url: `${this.url}/api/processImage?instructions=What%20is%20in%20this%20picture%3F`,
      headers: { 'content-type': 'image/jpeg' },
      body: image,
      minBytes: 4 * Math.ceil(image.length / 3),
    };
  }

  /** The same image in one of OpenAI's formats. */
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

  /** What memory it has now is what it has when nothing is to be done. */
  async idle(): Promise<void> {
    await this.#child.ask('idle', v.literal(true));
  }

  /** From now on its costs are counted. */
  async begin(): Promise<void> {
    await this.#child.ask('begin', v.literal(true));
  }

  async cost(): Promise<Cost> {
    return this.#child.ask('read', Cost);
  }

  /** Bytes of memory that it has at the moment. */
  async rss(): Promise<number> {
    return this.#child.ask('rss', v.number());
  }

  /** The last that it said on its standard streams, which is where its failures are. */
  get output(): string {
    return this.#child.output;
  }

  async stop(): Promise<void> {
    await this.#child.stop();
  }
}
