import { createIdentity } from '../azure/identity.ts';
import { Model } from '../azure/model.ts';
import type { TokenSource } from '../azure/token-source.ts';
import type { Settings } from '../config/settings.ts';
import type { Report } from '../doctor/check.ts';
import { readiness } from '../doctor/readiness.ts';
import { defaultDecoderLimits } from '../config/memory-limit.ts';
import { Admission } from '../http/admission.ts';
import { ImageReader } from '../image/image-reader.ts';

/** What the protected routes share: one for each process. */
export interface Service {
  readonly settings: Settings;
  readonly model: Model;
  /** This process's identity; undefined if a key stands in for it. */
  readonly tokens: TokenSource | undefined;
  readonly admission: Admission;
  /** Whether a question would be answered. */
  readonly readiness: () => Promise<Report>;
  readonly imageReader: ImageReader;
}

/** Makes what the protected routes share. It asks nobody anything yet. */
export function createService(settings: Settings, variables: Readonly<Record<string, string | undefined>>): Service {
  const tokens = createIdentity(settings, variables);
  return {
    settings,
    tokens,
    model: new Model(settings, tokens),
    admission: new Admission(settings.maxInflightBytes),
    readiness: readiness(settings, tokens),
    imageReader: new ImageReader(settings, defaultDecoderLimits()),
  };
}
