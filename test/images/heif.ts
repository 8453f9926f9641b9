import { readFileSync } from 'node:fs';

/** `sailboat.heic`: 256 x 192 pixels. */
export const SAILBOAT = readFileSync(new URL('sailboat.heic', import.meta.url));
/** The size of a tile. */
export const TILE = { width: 256, height: 192 };

/** The structure of a HEIC as phones make it: tiles, which the viewer joins, turns and mirrors. */
export interface Heic {
  readonly columns: number;
  readonly rows: number;
  /** The size in the header, if it is not the size of all tiles. */
  readonly says?: { readonly width: number; readonly height: number };
  /** Anticlockwise quarter turns (irot). */
  readonly turns?: number;
  /** 0: mirrored top to bottom; 1: mirrored left to right (imir). */
  readonly mirror?: number;
  /** An EXIF block, as phones write one. */
  readonly exif?: Buffer;
}

/**
 * Makes a HEIC of many tiles. Each tile is the sailboat, whose bytes are in the file only once.
 * ISO/IEC 23008-12 (HEIF), ISO/IEC 14496-12 (the boxes).
 */
export function tiledHeic({ columns, rows, says, turns, mirror, exif }: Heic): Buffer {
  const { width, height } = says ?? { width: columns * TILE.width, height: rows * TILE.height };
  const data = dataOf(SAILBOAT);
  const grid = Buffer.concat([Buffer.of(0, 1, rows - 1, columns - 1), u32(width), u32(height)]);
  const tiles = Array.from({ length: columns * rows }, (_, index) => index + 1);
  const gridId = tiles.length + 1;
  const exifId = tiles.length + 2;
  const exifData = exif ? Buffer.concat([u32(0), exif]) : Buffer.alloc(0);

  const properties = [boxOf(SAILBOAT, 'hvcC'), sizeBox(TILE.width, TILE.height), sizeBox(width, height)];
  const ofGrid = [3];
  if (turns !== undefined) ofGrid.push(properties.push(box('irot', Buffer.of(turns))) | 0x80);
  if (mirror !== undefined) ofGrid.push(properties.push(box('imir', Buffer.of(mirror))) | 0x80);
  const ids = exif ? [...tiles, gridId, exifId] : [...tiles, gridId];

  const meta = (start: number): Buffer => {
    const extent = (id: number): Buffer => {
      if (id < gridId) return Buffer.concat([u32(start), u32(data.length)]);
      const own = id === gridId ? grid : exifData;
      return Buffer.concat([u32(start + data.length + (id === gridId ? 0 : grid.length)), u32(own.length)]);
    };
    return full('meta', 0, [
      full('hdlr', 0, [u32(0), Buffer.from('pict'), Buffer.alloc(13)]),
      full('pitm', 0, [u16(gridId)]),
      full('iloc', 0, [
        Buffer.of(0x44, 0),
        u16(ids.length),
        ...ids.map((id) => Buffer.concat([u16(id), u16(0), u16(1), extent(id)])),
      ]),
      full('iinf', 0, [
        u16(ids.length),
        ...ids.map((id) =>
          full(
            'infe',
            2,
            [u16(id), u16(0), Buffer.from(id < gridId ? 'hvc1' : id === gridId ? 'grid' : 'Exif'), Buffer.of(0)],
            id === gridId ? 0 : 1,
          ),
        ),
      ]),
      full('iref', 0, [
        box('dimg', u16(gridId), u16(tiles.length), ...tiles.map(u16)),
        ...(exif ? [box('cdsc', u16(exifId), u16(1), u16(gridId))] : []),
      ]),
      box(
        'iprp',
        box('ipco', ...properties),
        full('ipma', 0, [
          u32(tiles.length + 1),
          ...tiles.map((id) => Buffer.concat([u16(id), Buffer.of(2, 0x81, 2)])),
          Buffer.concat([u16(gridId), Buffer.of(ofGrid.length, ...ofGrid)]),
        ]),
      ),
    ]);
  };
  const type = box('ftyp', Buffer.from('heic\0\0\0\0mif1heic', 'latin1'));
  const start = type.length + meta(0).length + 8;
  return Buffer.concat([type, meta(start), box('mdat', data, grid, exifData)]);
}

function sizeBox(width: number, height: number): Buffer {
  return full('ispe', 0, [u32(width), u32(height)]);
}

/** The first box of this type in a file, with its header. */
function boxOf(file: Buffer, type: string): Buffer {
  const at = file.indexOf(type, 0, 'latin1') - 4;
  return file.subarray(at, at + file.readUInt32BE(at));
}

function dataOf(file: Buffer): Buffer {
  return boxOf(file, 'mdat').subarray(8);
}

function box(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([u32(8 + body.length), Buffer.from(type, 'latin1'), body]);
}

function full(type: string, version: number, parts: readonly Buffer[], flags = 0): Buffer {
  return box(type, u32(version * 0x1000000 + flags), ...parts);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
