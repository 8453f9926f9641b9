import type { App } from '../app.ts';
import type { Handler } from '../http/create-handler.ts';
import { matches, pathBehindPrefix } from '../routes/path.ts';

/** Creates the function that finds the handler of a request. The last route takes every request that no other takes. */
export function createRouter({ routes }: App): (method: string, url: URL) => Handler {
  const last = routes.at(-1);
  if (!last) throw new Error('The app has no routes.');
  return (method, url) => {
    const path = pathBehindPrefix(url);
    const found = routes.find(
      ({ route }) => path !== undefined && route.methods.some((each) => each === method) && matches(route.path, path),
    );
    return (found ?? last).handler;
  };
}
