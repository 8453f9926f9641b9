import { fail, type Finding, ok } from './check.ts';

/** What the SDKs ask for: openai and @azure/identity declare Node 22. */
const LEAST_MAJOR = 22;

/** Whether the app can run on a version of Node, such as `24.1.0`. */
export function checkNode(version: string): Finding {
  if (Number.parseInt(version, 10) >= LEAST_MAJOR) return ok(`Node ${version}`);
  return fail(
    `Node ${version} is too old: the SDKs need ${LEAST_MAJOR}`,
    'run it as npm run doctor after npm install, which brings Node 24; in Azure, set the app to Node 24',
  );
}
