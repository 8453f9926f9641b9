import { corrupt } from './faults.ts';
import type { Dimensions } from './image.ts';

/** Markers: ITU-T T.81, table B.1. */
const SOF0 = 0xc0;
const SOF1 = 0xc1;
const SOF2 = 0xc2;
const SOF3 = 0xc3;
const DHT = 0xc4;
const SOF9 = 0xc9;
const SOF10 = 0xca;
const DAC = 0xcc;
const SOF15 = 0xcf;
const SOS = 0xda;
const DQT = 0xdb;
const DNL = 0xdc;
const DRI = 0xdd;

/** What libjpeg-turbo decodes here: baseline, extended and progressive, with Huffman or arithmetic coding. */
const COMPRESSIONS = new Set([SOF0, SOF1, SOF2, SOF9, SOF10]);
const PROGRESSIVE = new Set([SOF2, SOF10]);
const ARITHMETIC = new Set([SOF9, SOF10]);

/**
 * Limits of libjpeg-turbo: JPEG_MAX_DIMENSION, MAX_SAMP_FACTOR, NUM_QUANT_TBLS and NUM_HUFF_TBLS, and
 * D_MAX_BLOCKS_IN_MCU.
 */
const MAX_DIMENSION = 65_500;
const MAX_SAMPLING = 4;
const MAX_TABLES = 4;
const MAX_BLOCKS = 10;
const COEFFICIENTS = 64;
const MAX_SHIFT = 13;
/** The bit of a Huffman table's number that says that the table is for AC coefficients. */
const AC = 0x10;
const MAX_DC_CATEGORY = 15;

interface Component {
  readonly blocks: number;
  readonly quantization: number;
}

interface Frame extends Dimensions {
  readonly compression: number;
  readonly components: ReadonlyMap<number, Component>;
}

/** How much of a JPEG has been scanned. After `all`, only the end of the image may follow. */
export type Scanned = 'nothing' | 'a part' | 'all';

/** Checks the segments that a decoder needs. It refuses what libjpeg-turbo refuses before it decodes pixels. */
export class JpegDecodable {
  scanned: Scanned = 'nothing';
  #frame: Frame | undefined;
  readonly #quantization = new Set<number>();
  /** Whether the Huffman table with this number is usable. */
  readonly #huffman = new Map<number, boolean>();

  /**
   * The dimensions in the frame header.
   * @throws {Problem} `corrupt_image` if there is no picture
   */
  get dimensions(): Dimensions {
    if (!this.#frame || this.scanned === 'nothing') throw corrupt('The JPEG has no picture.');
    return { width: this.#frame.width, height: this.#frame.height };
  }

  /**
   * Checks a segment.
   * @param length - the length in the segment, which includes its own two bytes and the data
   * @throws {Problem} `corrupt_image` if a decoder would give up at this segment
   */
  take(marker: number, length: number, data: Buffer): void {
    if (length < 2 && marker !== DNL) throw damaged('segment');
    if (marker === DQT) this.#defineQuantization(data);
    else if (marker === DHT) this.#defineHuffman(data);
    else if (marker === SOS) this.#beginScan(data);
    else if (COMPRESSIONS.has(marker)) this.#beginFrame(marker, data);
    else if (marker === DRI ? data.length !== 2 : marker !== DAC && marker !== DNL)
      throw corrupt(
        marker >= SOF3 && marker <= SOF15
          ? 'Common decoders cannot open this kind of JPEG, such as lossless. Save it as a baseline JPEG.'
          : 'The JPEG has a segment that no decoder knows.',
      );
  }

  #beginFrame(compression: number, data: Buffer): void {
    if (this.#frame) throw corrupt('The JPEG has two frame headers.');
    const count = data[5] ?? 0;
    if (data.length !== 6 + 3 * count) throw damaged('frame header');
    if (data[0] !== 8) throw corrupt(`The JPEG has ${data[0]} bits per sample. Save it with 8 bits.`);
    const height = data.readUInt16BE(1);
    const width = data.readUInt16BE(3);
    if (width === 0 || height === 0 || width > MAX_DIMENSION || height > MAX_DIMENSION || count === 0)
      throw corrupt('The JPEG has no readable dimensions.');
    const components = new Map<number, Component>();
    for (let at = 6; at < data.length; at += 3) {
      const [id = 0, sampling = 0, quantization = 0] = data.subarray(at, at + 3);
      const [across, down] = [sampling >> 4, sampling & 15];
      if (!isFactor(across) || !isFactor(down)) throw damaged('frame header');
      components.set(id, { blocks: across * down, quantization });
    }
    this.#frame = { compression, width, height, components };
  }

  #beginScan(data: Buffer): void {
    const frame = this.#frame;
    if (!frame) throw corrupt('The JPEG has a scan before its frame header.');
    const count = data[0] ?? 0;
    if (count < 1 || count > 4 || data.length !== 4 + 2 * count) throw damaged('scan header');
    const progressive = PROGRESSIVE.has(frame.compression);
    const [first = 0, last = 0, shifts = 0] = data.subarray(1 + 2 * count);
    if (progressive) checkProgression(count, first, last, shifts >> 4, shifts & 15);
    let blocks = 0;
    for (let at = 1; at < 1 + 2 * count; at += 2) {
      const [id = 0, tables = 0] = data.subarray(at, at + 2);
      const component = frame.components.get(id);
      if (!component) throw damaged('scan header');
      blocks += component.blocks;
      if (!this.#quantization.has(component.quantization)) throw corrupt('The JPEG lacks a quantization table.');
      if (ARITHMETIC.has(frame.compression)) continue;
      const [dc, ac] = [tables >> 4, AC | (tables & 15)];
      if (progressive) {
        if (first > 0) this.#needHuffman(ac);
        else if (shifts >> 4 === 0) this.#needHuffman(dc);
      } else {
        this.#needHuffman(dc, true);
        this.#needHuffman(ac, true);
      }
    }
    if (count > 1 && blocks > MAX_BLOCKS) throw damaged('scan header');
    this.scanned = !progressive && count === frame.components.size ? 'all' : 'a part';
  }

  #defineQuantization(data: Buffer): void {
    let at = 0;
    while (at < data.length) {
      const head = data[at] ?? 0;
      const number = head & 15;
      if (number >= MAX_TABLES) throw damaged('quantization table');
      this.#quantization.add(number);
      at += 1 + (head >> 4 ? 2 : 1) * COEFFICIENTS;
    }
    if (at !== data.length) throw damaged('quantization table');
  }

  #defineHuffman(data: Buffer): void {
    let at = 0;
    while (at + 16 < data.length) {
      const number = data[at] ?? 0;
      const counts = data.subarray(at + 1, at + 17);
      const total = counts.reduce((sum, count) => sum + count, 0);
      const values = data.subarray(at + 17, at + 17 + total);
      if (total > 256 || values.length < total || (number & ~AC) >= MAX_TABLES) throw damaged('Huffman table');
      this.#huffman.set(number, hasRoom(counts) && (number >= AC || values.every((value) => value <= MAX_DC_CATEGORY)));
      at += 17 + total;
    }
    if (at !== data.length) throw damaged('Huffman table');
  }

  /** For sequential images, the first two tables of each kind are predefined, because Motion JPEG leaves them out. */
  #needHuffman(number: number, predefined = false): void {
    if (!(this.#huffman.get(number) ?? (predefined && (number & ~AC) < 2))) throw damaged('Huffman table');
  }
}

function isFactor(sampling: number): boolean {
  return sampling > 0 && sampling <= MAX_SAMPLING;
}

/**
 * Checks the parameters of a progressive scan. It has either DC coefficients or a range of AC coefficients, and refines
 * them by one bit: ITU-T T.81, table B.3 and G.1.1.1.1.
 */
function checkProgression(count: number, first: number, last: number, high: number, low: number): void {
  const range = first === 0 ? last === 0 : first <= last && last < COEFFICIENTS && count === 1;
  if (!range || (high !== 0 && low !== high - 1) || low > MAX_SHIFT) throw damaged('scan header');
}

/** Whether the codes of each length leave room for longer ones: T.81, annex C. */
function hasRoom(counts: Buffer): boolean {
  let code = 0;
  return counts.every((count, index) => {
    code = 2 * code + count;
    return count === 0 || code < 2 ** (index + 1);
  });
}

function damaged(what: string) {
  return corrupt(`The JPEG has a damaged ${what}.`);
}
