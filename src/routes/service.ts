import { createIdentity, createStorageIdentity } from '../azure/identity.ts';
import { Model } from '../azure/model.ts';
import type { TokenSource } from '../azure/token-source.ts';
import { once } from '../config/once.ts';
import type { Settings } from '../config/settings.ts';
import type { Report } from '../doctor/check.ts';
import { readiness } from '../doctor/readiness.ts';
import { storageCheck } from '../doctor/storage-check.ts';
import { defaultDecoderLimits } from '../config/memory-limit.ts';
import { Admission } from '../http/admission.ts';
import { ImageReader } from '../image/image-reader.ts';
import type { Storage } from '../storage/account.ts';

/** What the protected routes share. There is one for each process. */
export interface Service {
  readonly settings: Settings;
  readonly model: Model;
  /** Tokens of this process's identity. Undefined if the app signs in with a key instead. */
  readonly tokens: TokenSource | undefined;
  readonly admission: Admission;
  /** Whether the Functions host serves the app. Jobs need its queue triggers. */
  readonly isOnFunctionsHost: boolean;
  /** Checks whether a question could be answered now. */
  readonly readiness: () => Promise<Report>;
  readonly imageReader: ImageReader;
  /** Opens blobs and queues. The storage libraries are loaded at the first call. */
  readonly storage: () => Promise<Storage>;
}

/** Creates what the protected routes share. It sends no request yet. */
export function createService(
  settings: Settings,
  variables: Readonly<Record<string, string | undefined>>,
  isOnFunctionsHost = true,
): Service {
  const tokens = createIdentity(settings, variables);
  const storage = once(async () => {
    const { Storage } = await import('../storage/account.ts');
    return new Storage(createStorageIdentity(settings, variables));
  });
  return {
    settings,
    tokens,
    model: new Model(settings, tokens),
    admission: new Admission(settings.maxInflightBytes),
    isOnFunctionsHost,
    imageReader: new ImageReader(settings, defaultDecoderLimits()),
    readiness: readiness(settings, tokens, storageCheck(settings, storage)),
    storage,
  };
}
