import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TokenAuthority } from '../../../src/dev/emulator/tokens.ts';

const AUDIENCE = 'https://cognitiveservices.azure.com';

/** Stand-ins for the tools that credentials run, in a directory that is the whole PATH, so they run no other tools. */
export class StandIns {
  readonly directory: string;
  readonly #authority: TokenAuthority;

  constructor(directory: string, authority: TokenAuthority) {
    this.directory = directory;
    this.#authority = authority;
  }

  /** Adds an `az` with a signed-in user. It accepts only the arguments that AzureCliCredential uses. */
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

  /** Adds an `az` with a signed-in user and a subscription. Its token is for Azure's control plane. */
  async azOfSubscription(subscription: string): Promise<void> {
    const { token, expiresAt } = await this.#authority.issue('https://management.azure.com', { user: true });
    const answer = JSON.stringify({ accessToken: token, expires_on: expiresAt });
    await this.#write(
      'az',
      `#!/bin/sh\ncase "$*" in\n"account show"*) echo ${subscription};;\n*"--resource https://management.azure.com"*) printf '%s' '${answer}';;\n*) exit 2;;\nesac\n`,
    );
  }

  /** Adds an `azd` with a signed-in user. It accepts only the arguments that AzureDeveloperCliCredential uses. */
  async azd(): Promise<void> {
    const { token, expiresAt } = await this.#authority.issue(AUDIENCE, { user: true });
    const answer = { token, expiresOn: new Date(expiresAt * 1000).toISOString() };
    await this.#answering('azd', `auth token --output json --no-prompt --scope ${AUDIENCE}/.default`, answer);
  }

  /** Adds a tool that fails with this message. */
  async failing(tool: string, message: string): Promise<void> {
    await this.#write(tool, `#!/bin/sh\necho "${message}" >&2\nexit 1\n`);
  }

  /** Adds a browser with a user who is signed in to Entra. It opens the page and submits the page's form. */
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
