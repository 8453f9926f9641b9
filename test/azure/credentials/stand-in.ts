import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TokenAuthority } from '../../../src/dev/emulator/tokens.ts';

const AUDIENCE = 'https://cognitiveservices.azure.com';

/** A directory for the PATH, with stand-ins for the tools that credentials run. They use nothing but the shell itself. */
export class StandIns {
  readonly directory: string;
  readonly #authority: TokenAuthority;

  constructor(directory: string, authority: TokenAuthority) {
    this.directory = directory;
    this.#authority = authority;
  }

  /** `az` where somebody is signed in: refuses all but the very question that AzureCliCredential asks. */
  async az(): Promise<void> {
    const { token, expiresAt } = await this.#authority.issue(AUDIENCE, { user: true });
    const answer = {
      accessToken: token,
      expires_on: expiresAt,
      expiresOn: new Date(expiresAt * 1000).toISOString(),
      tokenType: 'Bearer',
    };
    await this.#answering('az', `account get-access-token --output json --resource ${AUDIENCE}`, answer);
  }

  /** `az` where somebody is signed in, with a subscription, and may ask Azure's control plane. */
  async azOfSubscription(subscription: string): Promise<void> {
    const { token, expiresAt } = await this.#authority.issue('https://management.azure.com', { user: true });
    const answer = JSON.stringify({ accessToken: token, expires_on: expiresAt });
    await this.#write(
      'az',
      `#!/bin/sh\ncase "$*" in\n"account show"*) echo ${subscription};;\n*"--resource https://management.azure.com"*) printf '%s' '${answer}';;\n*) exit 2;;\nesac\n`,
    );
  }

  /** `azd` where somebody is signed in. */
  async azd(): Promise<void> {
    const { token, expiresAt } = await this.#authority.issue(AUDIENCE, { user: true });
    const answer = { token, expiresOn: new Date(expiresAt * 1000).toISOString() };
    await this.#answering('azd', `auth token --output json --no-prompt --scope ${AUDIENCE}/.default`, answer);
  }

  /** A tool that fails with these words. */
  async failing(tool: string, words: string): Promise<void> {
    await this.#write(tool, `#!/bin/sh\necho "${words}" >&2\nexit 1\n`);
  }

  /** A browser in which somebody is signed in to Entra: it opens the page, and posts the form that is on it. */
  async browser(): Promise<void> {
    await this.#write(
      'xdg-open',
      `#!${process.execPath}
const page = await (await fetch(process.argv[2])).text();
const fields = [...page.matchAll(/name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]);
await fetch(/action="([^"]+)"/.exec(page)[1], { method: 'POST', body: new URLSearchParams(fields) });
`,
    );
  }

  async #answering(tool: string, args: string, answer: object): Promise<void> {
    await this.#write(
      tool,
      `#!/bin/sh\n[ "$*" = "${args}" ] || { echo "not understood: $*" >&2; exit 2; }\nprintf '%s' '${JSON.stringify(answer)}'\n`,
    );
  }

  async #write(tool: string, text: string): Promise<void> {
    await writeFile(join(this.directory, tool), text, { mode: 0o755 });
  }
}
