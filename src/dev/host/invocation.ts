import type { IncomingHttpHeaders } from 'node:http';
import type { CoreInvocation, ProgrammingModel } from './registry.ts';
import { runHooks } from './registry.ts';
import type { Route } from './route.ts';

/** One call of a function. */
export interface Invocation {
  id: string;
  route: Route;
  headers: IncomingHttpHeaders;
  log: CoreInvocation['log'];
}

/**
 * Takes a function through one invocation. The request itself comes to the library's own HTTP server under
 * the same id, and the response leaves through it; resolves when that response is written.
 */
export async function invoke(model: ProgrammingModel, { id, route, headers, log }: Invocation): Promise<void> {
  const core: CoreInvocation = {
    invocationId: id,
    metadata: route.metadata,
    request: {
      inputData: [{ name: route.trigger, data: { http: {} } }],
      triggerMetadata: { Headers: { json: JSON.stringify(headers) } },
      // The host in Azure puts a span of its own between; here the caller's is the parent.
      traceContext: { traceParent: single(headers['traceparent']), traceState: single(headers['tracestate']) },
    },
    log,
  };
  const invocation = model.getInvocationModel(core);
  const { context, inputs } = await invocation.getArguments();

  const hookData = {};
  const before = { hookData, invocationContext: context, inputs, functionCallback: route.callback };
  await runHooks('preInvocation', before);

  const after = { hookData, invocationContext: context, inputs: before.inputs, ...(await outcome()) };
  core.state = 'postInvocationHooks';
  await runHooks('postInvocation', after);
  // From here on, the library warns of whatever is logged through the context.
  delete core.state;

  if (after.error) throw after.error;
  if (after.result === undefined || after.result === null) {
    // The library sends nothing for nothing, and Azure's front end would let the client wait its 230 s.
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

function single(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}
