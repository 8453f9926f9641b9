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
 * Takes an HTTP function through one invocation. The request itself comes to the library's own HTTP server under the
 * same id, and the response leaves through it. Resolves when that response is written.
 */
export async function invoke(model: ProgrammingModel, invocation: HttpInvocation): Promise<void> {
  const { id, route, params, url, headers, log } = invocation;
  await run(model, route.callback, {
    invocationId: id,
    metadata: route.metadata,
    request: {
      inputData: [{ name: route.trigger, data: { http: {} } }],
      triggerMetadata: httpTriggerMetadata(url, params, headers),
      // The host in Azure puts a span of its own between; here the caller's is the parent.
      traceContext: { traceParent: single(headers['traceparent']), traceState: single(headers['tracestate']) },
    },
    log,
  });
}

/**
 * Takes a function through one invocation: arguments, hooks, handler, response.
 * @throws what the handler or a hook throws, or an Error if an HTTP handler returned nothing
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
  // From here on, the library warns about anything logged through the context.
  delete core.state;

  if (after.error) throw after.error;
  const isHttp = core.request.inputData.some(({ data }) => data.http);
  if (isHttp && (after.result === undefined || after.result === null)) {
    // The library then sends no answer, and in Azure the client waits 230 s for the front end to give up.
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
 * The library makes `request.params` of it. In the real host, too, they hold the query's values beside the route's; there
 * also the members of a JSON body that has a Content-Length.
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
