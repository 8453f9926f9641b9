import type { IncomingHttpHeaders } from 'node:http';
import {
  type CoreInvocation,
  type FunctionCallback,
  type ProgrammingModel,
  runHooks,
  type TypedData,
} from './registry.ts';
import type { Route } from './route.ts';

/** One call of an HTTP function. */
export interface HttpInvocation {
  id: string;
  route: Route;
  /** The values of the route's parameters. */
  params: Readonly<Record<string, string>>;
  url: string;
  headers: IncomingHttpHeaders;
  log: CoreInvocation['log'];
}

/**
 * Runs one invocation of an HTTP function. The request itself reaches the library's HTTP server with the same id, and
 * that server sends the response. Resolves when the response is written.
 */
export async function invoke(model: ProgrammingModel, invocation: HttpInvocation): Promise<void> {
  const { id, route, params, url, headers, log } = invocation;
  await run(model, route.callback, {
    invocationId: id,
    metadata: route.metadata,
    request: {
      inputData: [{ name: route.trigger, data: { http: {} } }],
      triggerMetadata: httpTriggerMetadata(url, params, headers),
      // In Azure, the host adds its own span. Here the caller's span is the parent.
      traceContext: { traceParent: single(headers['traceparent']), traceState: single(headers['tracestate']) },
    },
    log,
  });
}

/**
 * Runs one invocation of a function: arguments, hooks, handler and response.
 * @throws whatever the handler or a hook throws, or an Error if an HTTP handler returned nothing
 */
export async function run(model: ProgrammingModel, callback: FunctionCallback, core: CoreInvocation): Promise<void> {
  const invocation = model.getInvocationModel(core);
  const { context, inputs } = await invocation.getArguments();

  const hookData = {};
  const before = { hookData, invocationContext: context, inputs, functionCallback: callback };
  await runHooks('preInvocation', before);

  const after = { hookData, invocationContext: context, inputs: before.inputs, ...(await outcome()) };
  core.state = 'postInvocationHooks';
  await runHooks('postInvocation', after);
  // From now on, the library warns if the app logs through the context.
  delete core.state;

  if (after.error) throw after.error;
  const isHttp = core.request.inputData.some(({ data }) => data.http);
  if (isHttp && (after.result === undefined || after.result === null)) {
    // The library then sends no answer. In Azure, the client would wait 230 s, until the front end gives up.
    throw new Error('The handler returned no response.');
  }
  await invocation.getResponse(context, after.result);

  async function outcome(): Promise<{ result?: unknown; error?: unknown }> {
    try {
      return { result: await invocation.invokeFunction(context, before.inputs, before.functionCallback) };
    } catch (error) {
      return { error };
    }
  }
}

/**
 * Makes the trigger's metadata, which the library turns into `request.params`. Like in the real host, it has the
 * query's values besides those of the route. The real host also adds the members of a JSON body with a Content-Length.
 */
function httpTriggerMetadata(
  url: string,
  params: HttpInvocation['params'],
  headers: IncomingHttpHeaders,
): Record<string, TypedData> {
  const query = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?')) : '');
  const values = { ...Object.fromEntries(query), ...params };
  const typed = Object.entries(values).map(([name, string]): [string, TypedData] => [name, { string }]);
  return { ...Object.fromEntries(typed), Headers: { json: JSON.stringify(headers) } };
}

function single(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}
