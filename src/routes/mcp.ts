import { isRecord } from '../config/json-object.ts';
import { once } from '../config/once.ts';
import type { Reservation } from '../http/admission.ts';
import type { Handle, Reply, RequestContext } from '../http/create-handler.ts';
import { CallerGone } from '../http/deadline.ts';
import { runStep } from '../http/event-loop.ts';
import { invalidBody, type Problem } from '../http/problem.ts';
import { problemBody } from '../http/problem-response.ts';
import type { ReadImage } from '../image/image-reader.ts';
import { readJson } from '../request/form.ts';
import { type Form, readJsonForm } from '../request/json-form.ts';
import { ask } from '../vision/ask.ts';
import { type ParseQuestion, questionParser } from '../vision/question.ts';
import { loadImages } from './load-images.ts';
import { noteFacts, toVisionRequest } from './process-image.ts';
import type { Service } from './service.ts';

/** Methods to name in the log. Any other method may be content that a caller wrote. */
const KNOWN_METHODS = new Set(['initialize', 'notifications/initialized', 'ping', 'tools/list', 'tools/call']);

/**
 * Error codes of https://www.jsonrpc.org/specification#error_object. Servers may define those from -32099 to -32000.
 */
const PARSE_ERROR = -32_700;
const SERVER_ERROR = -32_000;

/** A JSON-RPC request has no more members: `jsonrpc`, `id`, `method` and `params`. */
const MAX_MEMBERS = 4;
/**
 * Limit of commas, colons, opening brackets and strings in a message that does not call the tool. The largest is
 * `initialize`, with a few dozen. The SDK is slow to check many, and its error would describe each.
 */
const MAX_TOKENS = 1_000;

/** A message for the SDK. If it calls the tool, the form has the tool's arguments. */
interface Received {
  readonly message: unknown;
  readonly reservation: Reservation;
  /** Rejects with the problem of the images, if there is one. */
  readonly form: Promise<Form>;
  readonly readImage: ReadImage;
}

/**
 * `POST /api/mcp`: answers a message of the Model Context Protocol, so that agents can ask about images. Its SDK is
 * loaded at the first message.
 */
export function mcp(service: Service): Handle {
  const load = once(async () => import('../mcp/server.ts'));
  const parseQuestion = questionParser(service.settings, {
    beside: ['images'],
    addInstructions: `add instructions to the tool's arguments`,
  });
  return async (context) => {
    const { TOOL_NAME, answerMessage } = await load();
    const received = await receive(context, service, TOOL_NAME);
    const response = await answerMessage({
      request: context.request,
      message: received.message,
      limits: service.settings,
      callTool: async () => toolResult(received, context, service, parseQuestion),
    });
    const { reason } = context.deadline.signal;
    if (reason instanceof CallerGone) throw reason;
    return toReply(response);
  };
}

/** Makes the JSON-RPC error response for a problem with the message itself, such as a body that is not JSON. */
export function mcpErrorResponse(problem: Problem, requestId: string): Reply {
  const code = problem.code === 'invalid_request' ? PARSE_ERROR : SERVER_ERROR;
  const error = { code, message: problem.detail, data: problemBody(problem, requestId) };
  return {
    status: problem.status,
    headers: { 'content-type': 'application/json', ...problem.headers },
    body: JSON.stringify({ jsonrpc: '2.0', error, id: null }),
  };
}

async function receive(
  { request, deadline, stopwatch, facts, onFinish }: RequestContext,
  { settings, admission, imageReader }: Service,
  toolName: string,
): Promise<Received> {
  const reservation = admission.enter();
  onFinish(reservation.leave);
  const incoming = { request, deadline, reservation };
  const readImage = imageReader.forRequest(incoming);
  return stopwatch.time('read', async () =>
    readJson(incoming, settings, async (json) => {
      const { value } = json;
      // The protocol has no batches since 2025-06-18, and a batch could hold any number of questions.
      if (!isRecord(value)) throw invalidBody('must be one JSON-RPC message; batches are not supported');
      if (Object.keys(value).length > MAX_MEMBERS)
        throw invalidBody(`has more than ${MAX_MEMBERS} members, so it is not a JSON-RPC message`);
      if (KNOWN_METHODS.has(String(value['method']))) facts['method'] = value['method'];
      const call = callIn(value, toolName);
      if (!call) {
        if (json.tokens > MAX_TOKENS)
          throw invalidBody(`has more than ${MAX_TOKENS} members, items and strings, and does not call ${toolName}`);
        return {
          message: await json.restore(value),
          reservation,
          form: Promise.resolve({ fields: {}, images: [] }),
          readImage,
        };
      }

      const id = typeof value['id'] === 'string' ? await json.take(value['id']).toText() : value['id'];
      const form = readJsonForm(json.at(call), settings);
      // Wait for the images: they are decoded from the body, whose memory is released when this function returns.
      await form
        .then(({ images }) => reservation.keep(images.filter((image) => Buffer.isBuffer(image))))
        .catch(() => undefined);
      return { message: { ...value, id, params: { name: toolName } }, reservation, form, readImage };
    }),
  );
}

/**
 * Returns the tool's arguments if the message calls the tool. The SDK answers any other message, also an invalid one.
 */
function callIn({ method, params }: Readonly<Record<string, unknown>>, toolName: string): object | undefined {
  if (method !== 'tools/call' || !isRecord(params) || params['name'] !== toolName) return undefined;
  const { arguments: given = {} } = params;
  return isRecord(given) ? given : undefined;
}

async function toolResult(
  { form, reservation, readImage }: Received,
  context: RequestContext,
  service: Service,
  parseQuestion: ParseQuestion,
) {
  const { deadline, stopwatch } = context;
  try {
    const { fields, images } = await form;
    const vision = await stopwatch.time('read', async () => {
      const question = await runStep(() => parseQuestion([fields]));
      const loaded = await loadImages(images, service, { deadline, reservation });
      // An MCP result has no field to say that the content filter cut the answer off.
      return toVisionRequest(question, loaded, readImage, { options: service.settings, plainText: true });
    });
    const answer = await ask(service.model, vision, context);
    noteFacts(answer, context);
    const { data, refusal } = answer;
    const text = answer.answer || (refusal ?? '');
    return { content: [{ type: 'text' as const, text }], ...(data ? { structuredContent: { ...data } } : {}) };
  } catch (error) {
    if (error instanceof CallerGone) throw error;
    const { code, detail } = context.toProblem(error);
    return { content: [{ type: 'text' as const, text: `${code}: ${detail}` }], isError: true };
  }
}

async function toReply(response: Response): Promise<Reply> {
  const type = response.headers.get('content-type');
  return {
    status: response.status,
    headers: type === null ? {} : { 'content-type': type },
    body: await response.text(),
  };
}
