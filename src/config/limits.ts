import type { Environment } from './environment.ts';

const NO_MAXIMUM = Number.MAX_SAFE_INTEGER;

/** The limits of one request. */
export interface Limits {
  /** Bytes of one image. */
  readonly maxImageBytes: number;
  /** Bytes of the whole body, with all its images. */
  readonly maxBodyBytes: number;
  readonly maxImages: number;
  /** Length in Unicode code points. */
  readonly maxInstructions: number;
  /** Tokens. Also the default if the caller gives no number, so that the price of every answer has an upper limit. */
  readonly maxOutputTokens: number;
}

/** The limits if no setting changes them. */
export const DEFAULT_LIMITS: Limits = {
  // The service's own limit for one image: https://learn.microsoft.com/azure/ai-foundry/openai/concepts/models
  maxImageBytes: 20_971_520,
  // The Functions host answers a larger body with an empty 500.
  // https://github.com/Azure/azure-functions-host/issues/10519
  maxBodyBytes: 104_857_600,
  maxImages: 10,
  maxInstructions: 4_000,
  maxOutputTokens: 4_096,
};

/** Reads the limits from their settings. The environment collects the faults. */
export function readLimits(environment: Environment): Limits {
  return {
    maxImageBytes: environment.integer('MAX_IMAGE_BYTES', DEFAULT_LIMITS.maxImageBytes, 1, NO_MAXIMUM),
    maxBodyBytes: environment.integer('MAX_BODY_BYTES', DEFAULT_LIMITS.maxBodyBytes, 1, NO_MAXIMUM),
    maxImages: environment.integer('MAX_IMAGES', DEFAULT_LIMITS.maxImages, 1, 1_000),
    maxInstructions: environment.integer('MAX_INSTRUCTIONS', DEFAULT_LIMITS.maxInstructions, 1, NO_MAXIMUM),
    maxOutputTokens: environment.integer('MAX_OUTPUT_TOKENS', DEFAULT_LIMITS.maxOutputTokens, 1, NO_MAXIMUM),
  };
}
