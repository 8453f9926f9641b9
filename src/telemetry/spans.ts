import {
  type Attributes,
  type Context,
  defaultTextMapGetter,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { type Chat, errorType } from './gen-ai.ts';
import type { AnsweredRequest } from '../http/create-handler.ts';

/** What one span is made of. */
interface Finished {
  readonly name: string;
  readonly kind: SpanKind;
  readonly start: number;
  readonly end: number;
  readonly attributes: Attributes;
  readonly error: string | undefined;
}

const propagator = new W3CTraceContextPropagator();

/** A span for the request under the host's, and one for each of its stages under that. */
export function recordSpans(tracer: Tracer, report: AnsweredRequest, chats: readonly Chat[]): void {
  const host = propagator.extract(ROOT_CONTEXT, report.trace, defaultTextMapGetter);
  const request = record(tracer, host, requestOf(report));
  for (const { stage, start, end, error } of report.laps) {
    if (stage !== 'model')
      record(tracer, request, {
        name: stage,
        kind: SpanKind.INTERNAL,
        start,
        end,
        attributes: {},
        error: errorType(error),
      });
  }
  for (const { deployment, start, end, attributes, details, error } of chats) {
    record(tracer, request, {
      name: `chat ${deployment}`,
      kind: SpanKind.CLIENT,
      start,
      end,
      attributes: { ...attributes, ...details },
      error,
    });
  }
}

function requestOf({ name, requestId, status, facts, start, end }: AnsweredRequest): Finished {
  const { code, job, outcome } = facts;
  const error = typeof code === 'string' ? code : undefined;
  // It says why, and is no failure: the image is asked about again later.
  const isPostponed = outcome === 'postponed';
  return {
    name,
    // The host's is the server's span; a second one would count every request twice.
    kind: SpanKind.INTERNAL,
    start,
    end,
    attributes: {
      'faas.invocation_id': requestId,
      ...(status === undefined ? {} : { 'http.response.status_code': status }),
      ...(typeof job === 'string' ? { 'keyless_vision.job.id': job } : {}),
      ...(typeof outcome === 'string' ? { 'keyless_vision.job.outcome': outcome } : {}),
      ...(isPostponed && error ? { 'error.type': error } : {}),
    },
    error: isPostponed ? undefined : error,
  };
}

/** @returns the context for what is under it */
function record(tracer: Tracer, parent: Context, { name, kind, start, end, attributes, error }: Finished): Context {
  const span = tracer.startSpan(
    name,
    { kind, startTime: start, attributes: { ...attributes, ...(error ? { 'error.type': error } : {}) } },
    parent,
  );
  if (error) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(end);
  return trace.setSpan(parent, span);
}
