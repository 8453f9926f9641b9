import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

interface Late {
  readonly file: RegExp;
  /** The import as it stands in the file, and what is put in its place. */
  readonly imports: readonly (readonly [early: string, late: string])[];
}

const LATE: readonly Late[] = [
  {
    // Signs for certificates alone. It compares versions of Node as it is set up: a quarter of what @azure/identity takes to load.
    file: /[\\/]msal-node[\\/].*[\\/]ClientAssertion\.mjs$/,
    imports: [["import jwt from 'jsonwebtoken';", "const jwt = { sign: (...given) => require('jsonwebtoken').sign(...given) };"]],
  },
  {
    // Needed where HTTP_PROXY or HTTPS_PROXY is set; they come with node:assert, node:tls and a logger for terminals.
    file: /[\\/]ts-http-runtime[\\/].*[\\/]proxyPolicy\.js$/,
    imports: [
      ['import { HttpsProxyAgent } from "https-proxy-agent";', "function HttpsProxyAgent(url) { return new (require('https-proxy-agent').HttpsProxyAgent)(url); }"],
      ['import { HttpProxyAgent } from "http-proxy-agent";', "function HttpProxyAgent(url) { return new (require('http-proxy-agent').HttpProxyAgent)(url); }"],
    ],
  },
];

/** Lets packages be set up when they are first used, which in Azure is never, instead of in every cold start. */
export const latePackages: Plugin = {
  name: 'late-packages',
  setup(build) {
    for (const { file, imports } of LATE) {
      build.onLoad({ filter: file }, async ({ path }) => {
        let contents = await readFile(path, 'utf8');
        for (const [early, late] of imports) {
          if (!contents.includes(early)) throw new Error(`${path} has no ${early} any more: see whether it is still to be late.`);
          contents = contents.replace(early, late);
        }
        return { contents, loader: 'js' };
      });
    }
  },
};
