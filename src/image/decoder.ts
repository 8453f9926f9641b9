import { Worker } from 'node:worker_threads';
import type { DecoderLimits } from '../config/memory-limit.ts';
import type { Limits } from '../config/limits.ts';
import type { Reservation } from '../http/admission.ts';
import { type Deadline, DeadlinePassed } from '../http/deadline.ts';
import { Problem } from '../http/problem.ts';
import { runStep } from '../http/event-loop.ts';
import { corrupt, imageTooLarge, needsTooMuchMemory, tooManyPixels } from './faults.ts';
import type { ConvertedType, Dimensions, Image, ImageType } from './image.ts';

/** The types that may need decoding. A {@link ConvertedType} always does, the others if their orientation is not 1. */
export type SourceType = ConvertedType | Exclude<ImageType, 'image/gif'>;

/** The image that a decoder's thread has written. */
export interface Decoded extends Dimensions {
  readonly type: 'image/jpeg' | 'image/png';
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The input of a thread. The thread decodes this one image, answers and ends. */
export interface Task {
  /** The decoder, if an earlier thread has compiled it. */
  readonly magick: WebAssembly.Module | undefined;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly type: SourceType;
  /** Width times height. */
  readonly maxPixels: number;
  readonly maxMemoryBytes: number;
}

/** The answer of a thread. */
export interface Outcome {
  /** The compiled decoder, for later threads. */
  readonly magick: WebAssembly.Module;
  readonly result:
    | { readonly decoded: Decoded }
    | { readonly fault: 'too_many_pixels'; readonly dimensions: Dimensions }
    | { readonly fault: 'corrupt' | 'out_of_memory' };
}

/** The time limit and the memory of the request that an image belongs to. */
interface Caller {
  readonly deadline: Deadline;
  readonly reservation: Reservation;
}

/** The most requests that may wait for a thread. Each holds its image in memory, and more would wait for minutes. */
const MAX_WAITING = 32;
const RETRY_AFTER_SECONDS = '10';
/** The least memory to decode and encode a pixel. A JPEG of 48 megapixels takes 384 MB, and no format takes less. */
const MEMORY_BYTES_PER_PIXEL = 8;
/** How many bytes are copied in one step. Most of the time of a step goes to fresh pages of memory. */
const COPY_BYTES = 256 * 1024;
/** The memory of a thread's JavaScript. Pixels are in WebAssembly's memory, which the thread limits itself. */
const HEAP_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 };

/**
 * Turns images upright and converts them to JPEG or PNG. Each image has its own thread, so that an image that breaks
 * the decoder harms nothing else.
 */
export class Decoder {
  readonly #maxImageBytes: number;
  readonly #maxMemoryBytes: number;
  readonly #waiting: (() => void)[] = [];
  #free: number;
  /** The compiled decoder. The first thread compiles it, and later ones reuse it. */
  #magick: WebAssembly.Module | undefined;

  constructor({ maxImageBytes }: Pick<Limits, 'maxImageBytes'>, { workers, maxMemoryBytes }: DecoderLimits) {
    this.#maxImageBytes = maxImageBytes;
    this.#maxMemoryBytes = maxMemoryBytes;
    this.#free = workers;
  }

  /**
   * Turns a checked image upright, and frees the memory of its bytes.
   * @throws {Problem} `image_too_large`, `corrupt_image` or `overloaded`
   */
  async turn(type: SourceType, { bytes, width, height }: Image, caller: Caller): Promise<Image> {
    if (width * height > this.#maxPixels) throw tooManyPixels({ width, height }, this.#maxPixels, this.#maxImageBytes);
    return this.convert(type, bytes, caller);
  }

  /**
   * Converts an image to an upright JPEG, or to a PNG if it is a PNG or transparent. It frees the memory of the bytes.
   * @throws {Problem} `image_too_large`, `corrupt_image` or `overloaded`
   */
  async convert(type: SourceType, bytes: Buffer, { deadline, reservation }: Caller): Promise<Image> {
    const { signal } = deadline;
    const decoded = await this.#oneAtATime(signal, async () => {
      reservation.grow(bytes.length); // the copy that the thread reads
      return this.#decode(type, await share(bytes), signal);
    });
    const image = Buffer.from(decoded.bytes.buffer);
    reservation.grow(Math.max(0, image.length - bytes.length));
    reservation.keep([image]);
    reservation.release(bytes);
    if (image.length > this.#maxImageBytes) throw imageTooLarge(this.#maxImageBytes);
    return { ...decoded, bytes: image, orientation: 1, cuts: [] };
  }

  get #maxPixels(): number {
    return Math.floor(this.#maxMemoryBytes / MEMORY_BYTES_PER_PIXEL);
  }

  async #decode(type: SourceType, bytes: Uint8Array<SharedArrayBuffer>, signal: AbortSignal): Promise<Decoded> {
    const maxPixels = this.#maxPixels;
    const task = { magick: this.#magick, bytes, type, maxPixels, maxMemoryBytes: this.#maxMemoryBytes };
    const { magick, result } = await runThread(task, signal);
    this.#magick = magick;
    if ('decoded' in result) return result.decoded;
    if (result.fault === 'too_many_pixels') throw tooManyPixels(result.dimensions, maxPixels, this.#maxImageBytes);
    if (result.fault === 'out_of_memory') throw needsTooMuchMemory(this.#maxImageBytes);
    throw corrupt(`The ${nameOf(type)} is damaged, or of a kind that the decoder does not support.`);
  }

  /** Waits until another thread may start, does the work, and lets the next one start. */
  async #oneAtATime<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(signal);
    try {
      return await work();
    } catch (error) {
      throw signal.aborted ? whyAborted(signal) : error;
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }

  async #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.length >= MAX_WAITING) throw overloaded();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      const at = this.#waiting.indexOf(resolve);
      if (at < 0) return; // its turn has just come
      this.#waiting.splice(at, 1);
      reject(whyAborted(signal));
    };
    this.#waiting.push(resolve);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }
}

/** Copies bytes to shared memory, step by step. Cloning 20 MB at once would block the event loop for 100 ms. */
async function share(bytes: Buffer): Promise<Uint8Array<SharedArrayBuffer>> {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  for (let at = 0; at < bytes.length; at += COPY_BYTES)
    await runStep(() => shared.set(bytes.subarray(at, at + COPY_BYTES), at));
  return shared;
}

/** Starts a thread, and waits for its answer and its end. Its memory is free only after its end. */
async function runThread(task: Task, signal: AbortSignal): Promise<Outcome> {
  signal.throwIfAborted();
  // In the bundle, the thread's code is a separate file.
  const name = import.meta.url.endsWith('.ts') ? './decoder-worker.ts' : './decoder-worker.js';
  const worker = new Worker(new URL(name, import.meta.url), {
    workerData: task,
    resourceLimits: HEAP_LIMITS,
    env: {},
    execArgv: [],
    // The decoder's output may quote the image, so it is captured here and dropped.
    stdout: true,
    stderr: true,
  });
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const stop = (): void => void worker.terminate();
  worker.once('message', resolve);
  worker.once('error', reject);
  worker.once('exit', () => reject(new Error('the decoder ended without an answer')));
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', stop);
    await worker.terminate();
  }
}

function whyAborted({ reason }: AbortSignal): unknown {
  return reason instanceof DeadlinePassed ? overloaded() : reason;
}

function overloaded(): Problem {
  return new Problem(
    'overloaded',
    'Too many images are waiting to be turned or converted. ' +
      'Try again in a moment, or send upright JPEG or PNG images, which need neither.',
    { headers: { 'retry-after': RETRY_AFTER_SECONDS } },
  );
}

function nameOf(type: SourceType): string {
  return type.slice('image/'.length).toUpperCase();
}
