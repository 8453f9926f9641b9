import { fail, type Finding, ok } from './check.ts';

/** The oldest major version that openai and @azure/identity support. */
const LEAST_MAJOR = 22;

/** Checks that the app can run on a version of Node, such as `24.1.0`. */
export function checkNode(version: string): Finding {
  if (Number.parseInt(version, 10) >= LEAST_MAJOR) return ok(`Node ${version}`);
  return fail(
    `Node ${version} is too old: the SDKs need ${LEAST_MAJOR}`,
    'run it as npm run doctor after npm install, which brings Node 24; in Azure, set the app to Node 24',
  );
}
