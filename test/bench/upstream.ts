import * as v from 'valibot';
import { identityPath } from '../../src/dev/emulator/identity-endpoint.ts';
import { Child } from './child.ts';
import type { Target } from './post.ts';
import { readyMade } from './ready-made.ts';

const Ready = v.object({ origin: v.string() });
const API_VERSION = '2024-10-21';

/** The upstream that all sides of a run call, in a process of its own. */
export class Upstream {
  readonly #child = new Child('upstream-process.ts', [], {});
  #origin = '';

  static async start(): Promise<Upstream> {
    const upstream = new Upstream();
    ({ origin: upstream.#origin } = await upstream.#child.next(Ready));
    return upstream;
  }

  /** The environment variables with which an app finds it, and signs in. */
  env(deployment = 'vision'): Readonly<Record<string, string>> {
    return {
      AZURE_OPENAI_ENDPOINT: `${this.#origin}/`,
      AZURE_OPENAI_DEPLOYMENT: deployment,
      OPENAI_API_VERSION: API_VERSION,
      IDENTITY_ENDPOINT: `${this.#origin}${identityPath}`,
      IDENTITY_HEADER: 'any',
      AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
      NO_PROXY: '127.0.0.1',
    };
  }

  /** The address of its OpenAI API, for a client or a gateway that adds `/chat/completions`. */
  get openAiUrl(): string {
    return `${this.#origin}/openai/deployments/vision`;
  }

  /** A direct request to it, without an app. The latency that an app adds is measured against this. */
  direct(imageBytes: number): Target {
    const body = readyMade(imageBytes);
    return {
      url: `${this.#origin}/openai/deployments/vision/chat/completions?api-version=${API_VERSION}`,
      headers: { 'content-type': 'application/json', authorization: 'Bearer any' },
      body,
      minBytes: body.length,
    };
  }

  async stop(): Promise<void> {
    await this.#child.stop();
  }
}
