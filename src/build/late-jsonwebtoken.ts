import type { Edit } from './edited-sources.ts';

const EARLY = "import jwt from 'jsonwebtoken';";

/**
 * Lets jsonwebtoken be set up when it is first used: it signs for certificates alone, and as it is set up, it compares
 * versions of Node, which takes as long as loading a good part of MSAL.
 */
export const lateJsonWebToken: Edit = {
  file: /[\\/]msal-node[\\/].*[\\/]ClientAssertion\.mjs$/,
  edit(source, path) {
    if (!source.includes(EARLY)) throw new Error(`${path} has no ${EARLY} any more: see whether it is still to be late.`);
    return source.replace(EARLY, "const jwt = { sign: (...given) => require('jsonwebtoken').sign(...given) };");
  },
};
