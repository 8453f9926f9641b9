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

/** The data of one span. Times are milliseconds since the epoch. */
interface Finished {
  readonly name: string;
  readonly kind: SpanKind;
  readonly start: number;
  readonly end: number;
  readonly attributes: Attributes;
  readonly error: string | undefined;
}

const propagator = new W3CTraceContextPropagator();

/**
 * Records a span for the request as a child of the host's span, and under it a span for each stage and each question.
 */
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
  // A postponed image is not a failure, because it is asked about again. The attribute only says why.
  const isPostponed = outcome === 'postponed';
  return {
    name,
    // The host's span has the kind SERVER. A second one would count every request twice.
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

/** Records one span. @returns the context for its children */
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
