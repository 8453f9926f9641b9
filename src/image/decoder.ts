import { Worker } from 'node:worker_threads';
import type { DecoderLimits } from '../config/memory-limit.ts';
import type { Limits } from '../config/limits.ts';
import type { Reservation } from '../http/admission.ts';
import { type Deadline, DeadlinePassed } from '../http/deadline.ts';
import { Problem } from '../http/problem.ts';
import { inTurn } from '../http/turn.ts';
import { corrupt, imageTooLarge, needsTooMuchMemory, tooManyPixels } from './faults.ts';
import type { ConvertedType, Dimensions, Image, ImageType } from './image.ts';

/** The types that a decoder is needed for: always, or if the EXIF orientation is not 1. */
export type SourceType = ConvertedType | Exclude<ImageType, 'image/gif'>;

/** An image as the decoder's thread wrote it. */
export interface Decoded extends Dimensions {
  readonly type: 'image/jpeg' | 'image/png';
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What a thread is started with. It decodes this one image, answers and ends. */
export interface Task {
  /** Compiled by an earlier thread, if there was one. */
  readonly magick: WebAssembly.Module | undefined;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly type: SourceType;
  /** Width times height. */
  readonly maxPixels: number;
  readonly maxMemoryBytes: number;
}

/** What a thread answers. */
export interface Outcome {
  readonly magick: WebAssembly.Module;
  readonly result:
    | { readonly decoded: Decoded }
    | { readonly fault: 'too_many_pixels'; readonly dimensions: Dimensions }
    | { readonly fault: 'corrupt' | 'out_of_memory' };
}

/** What decoding an image may take of its request. */
interface Caller {
  readonly deadline: Deadline;
  readonly reservation: Reservation;
}

/** Requests that wait for a thread. Each has its image in memory, and those behind them would wait for minutes. */
const MAX_WAITING = 32;
const RETRY_AFTER_SECONDS = '10';
/** Decoding and encoding a JPEG of 48 megapixels takes 384 MB, which no other format takes less than. */
const MEMORY_BYTES_PER_PIXEL = 8;
/** Bytes that are copied in one step of the event loop. Most of its time goes to fresh pages. */
const COPY_BYTES = 256 * 1024;
/** Memory of a thread's JavaScript, in MB. Pixels are in WebAssembly's memory, which the thread bounds itself. */
const HEAP_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 };

/**
 * Turns images upright and converts them to JPEG or PNG, each in a thread of its own: whatever an image does to the
 * decoder ends with the thread.
 */
export class Decoder {
  readonly #maxImageBytes: number;
  readonly #maxMemoryBytes: number;
  readonly #waiting: (() => void)[] = [];
  #free: number;
  /** The first thread compiles the decoder; the others share it. */
  #magick: WebAssembly.Module | undefined;

  constructor({ maxImageBytes }: Pick<Limits, 'maxImageBytes'>, { workers, maxMemoryBytes }: DecoderLimits) {
    this.#maxImageBytes = maxImageBytes;
    this.#maxMemoryBytes = maxMemoryBytes;
    this.#free = workers;
  }

  /**
   * Turns a checked image upright, and gives back the memory of its bytes.
   * @throws {Problem} `image_too_large`, `corrupt_image` or `overloaded`
   */
  async turn(type: SourceType, { bytes, width, height }: Image, caller: Caller): Promise<Image> {
    if (width * height > this.#maxPixels) throw tooManyPixels({ width, height }, this.#maxPixels, this.#maxImageBytes);
    return this.convert(type, bytes, caller);
  }

  /**
   * Makes an upright JPEG of an image, or a PNG if it is one or is transparent, and gives back the memory of its bytes.
   * @throws {Problem} `image_too_large`, `corrupt_image` or `overloaded`
   */
  async convert(type: SourceType, bytes: Buffer, { deadline, reservation }: Caller): Promise<Image> {
    const { signal } = deadline;
    const decoded = await this.#inTurn(signal, async () => {
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
    throw corrupt(`The ${nameOf(type)} is damaged, or of a kind that the decoder does not know.`);
  }

  /** Waits until a thread may be started, does the work, and lets the next one start. */
  async #inTurn<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
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

/** Copies bytes, step by step, to where a thread reads them. Cloning 20 MB would hold the event loop for 100 ms. */
async function share(bytes: Buffer): Promise<Uint8Array<SharedArrayBuffer>> {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  for (let at = 0; at < bytes.length; at += COPY_BYTES)
    await inTurn(() => shared.set(bytes.subarray(at, at + COPY_BYTES), at));
  return shared;
}

/** Starts a thread and waits for its answer, and for its end: only then is its memory free. */
async function runThread(task: Task, signal: AbortSignal): Promise<Outcome> {
  signal.throwIfAborted();
  // In the bundle the thread's code is a file of its own.
  const name = import.meta.url.endsWith('.ts') ? './decoder-worker.ts' : './decoder-worker.js';
  const worker = new Worker(new URL(name, import.meta.url), {
    workerData: task,
    resourceLimits: HEAP_LIMITS,
    env: {},
    execArgv: [],
    // Whatever a decoder writes may quote the image. It is not read.
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
    'Too many images are waiting to be turned or converted. Try again in a moment, or send upright JPEG or PNG images, which need neither.',
    { headers: { 'retry-after': RETRY_AFTER_SECONDS } },
  );
}

function nameOf(type: SourceType): string {
  return type.slice('image/'.length).toUpperCase();
}
