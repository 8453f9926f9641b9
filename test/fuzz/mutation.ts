import * as fc from 'fast-check';
import { sizeFieldsOf, withSizeField } from './size-fields.ts';

/** Numbers that often break a check of lengths and dimensions: 0, 1, the limits of each width, and huge ones. */
const BOUNDARY_NUMBERS = [
  0, 1, 2, 0x7f, 0x80, 0xff, 0x3fff, 0x4000, 0x7fff, 0xffff, 0x10000, 0xffffff, 0x7fffffff, 0x80000000, 0xfffffff4,
  0xffffffff,
];

/** One change of an image. `from` and `to` are fractions of its length, so that a mutation fits every image. */
export interface Mutation {
  readonly kind: 'flip' | 'overwrite' | 'cut' | 'drop' | 'repeat' | 'fill' | 'splice' | 'resize' | 'append';
  readonly from: number;
  readonly to: number;
  readonly value: number;
}

/** Any mutation. */
export const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('flip', 'overwrite', 'cut', 'drop', 'repeat', 'fill', 'splice', 'resize', 'resize', 'append'),
  from: fraction(),
  to: fraction(),
  value: fc.oneof(fc.constantFrom(...BOUNDARY_NUMBERS), fc.noBias(fc.nat(0xffffffff))),
});

/** Applies the mutations in order. `others` are images that it may be spliced with. */
export function mutate(image: Buffer, mutations: readonly Mutation[], others: readonly Buffer[]): Buffer {
  return mutations.reduce((bytes, each) => apply(bytes, each, others), image);
}

function apply(image: Buffer, { kind, from, to, value }: Mutation, others: readonly Buffer[]): Buffer {
  const at = Math.floor(from * image.length);
  const end = Math.max(at, Math.floor(to * image.length));
  switch (kind) {
    case 'flip':
      return changed(image, at, (byte) => byte ^ (1 << (value % 8)));
    case 'overwrite':
      return changed(image, at, () => value);
    case 'cut':
      return image.subarray(0, at);
    case 'drop':
      return Buffer.concat([image.subarray(0, at), image.subarray(end)]);
    case 'repeat':
      return Buffer.concat([image.subarray(0, end), image.subarray(at)]);
    case 'fill':
      return Buffer.from(image).fill(value & 0xff, at, end);
    case 'append':
      return Buffer.concat([image, Buffer.alloc(value % 4096, value)]);
    case 'splice': {
      const other = others[value % others.length] ?? image;
      return Buffer.concat([image.subarray(0, at), other.subarray(Math.floor(to * other.length))]);
    }
    case 'resize': {
      const fields = sizeFieldsOf(image).filter((each) => each.at + each.bytes <= image.length);
      const field = fields[Math.floor(from * fields.length)];
      return field ? withSizeField(image, field, value) : image;
    }
  }
}

function changed(image: Buffer, at: number, change: (byte: number) => number): Buffer {
  const copy = Buffer.from(image);
  copy[at] = change(copy[at] ?? 0);
  return copy;
}

function fraction(): fc.Arbitrary<number> {
  return fc.noBias(fc.nat(9_999)).map((part) => part / 10_000);
}
