import type { Environment } from './environment.ts';

const GREATEST = Number.MAX_SAFE_INTEGER;

/** How much one request may hold. */
export interface Limits {
  /** Bytes of one image. */
  readonly maxImageBytes: number;
  /** Bytes of the whole body, all images together. */
  readonly maxBodyBytes: number;
  readonly maxImages: number;
  /** Characters. */
  readonly maxInstructions: number;
  /** Tokens; also what is asked for where the caller names no number, so that every answer has a bounded price. */
  readonly maxOutputTokens: number;
}

/** What holds where no setting says otherwise. */
export const DEFAULT_LIMITS: Limits = {
  // What the service accepts for one image: https://learn.microsoft.com/azure/ai-foundry/openai/concepts/models
  maxImageBytes: 20_971_520,
  // Older Functions hosts end a request above 100 MB themselves, with a bare 500.
  maxBodyBytes: 104_857_600,
  maxImages: 10,
  maxInstructions: 4_000,
  maxOutputTokens: 4_096,
};

/** Reads them from the settings that they are named after; what is wrong with one is the environment's to tell. */
export function readLimits(environment: Environment): Limits {
  return {
    maxImageBytes: environment.integer('MAX_IMAGE_BYTES', DEFAULT_LIMITS.maxImageBytes, 1, GREATEST),
    maxBodyBytes: environment.integer('MAX_BODY_BYTES', DEFAULT_LIMITS.maxBodyBytes, 1, GREATEST),
    maxImages: environment.integer('MAX_IMAGES', DEFAULT_LIMITS.maxImages, 1, 1_000),
    maxInstructions: environment.integer('MAX_INSTRUCTIONS', DEFAULT_LIMITS.maxInstructions, 1, GREATEST),
    maxOutputTokens: environment.integer('MAX_OUTPUT_TOKENS', DEFAULT_LIMITS.maxOutputTokens, 1, GREATEST),
  };
}
