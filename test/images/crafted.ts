import { still } from './still.ts';

/** A file that needs as many steps to read as its size allows. */
export interface Crafted {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Makes files of about `size` bytes. Each one repeats the smallest unit that some part of a format has. */
export async function craftedFiles(size: number): Promise<Crafted[]> {
  const [png, jpeg, gif, webp] = await Promise.all([
    still('image/png', 8, 8),
    still('image/jpeg', 8, 8),
    still('image/gif', 8, 8),
    still('image/webp', 8, 8),
  ]);
  const fill = (name: string, image: Buffer, at: number, unit: string): Crafted => {
    const one = Buffer.from(unit, 'hex');
    const units = Buffer.alloc(Math.floor((size - image.length) / one.length) * one.length, one);
    return { name, bytes: Buffer.concat([image.subarray(0, at), units, image.subarray(at)]) };
  };
  const scan = jpeg.length - 2;
  const control = gif.indexOf(Buffer.from('21f904', 'hex'));
  const data = gif.indexOf(Buffer.from('2c00000000', 'hex'), control) + 11;
  const extended = Buffer.concat([
    webp.subarray(0, 12),
    Buffer.from('565038580a00000000000000070000070000', 'hex'),
    webp.subarray(12),
  ]);
  return [
    fill('PNG of empty text chunks', png, 33, '000000007445587400000000'),
    fill('PNG of empty image data', png, png.indexOf('IDAT') - 4, '000000004944415435af061e'),
    fill('JPEG of fill bytes', jpeg, 2, 'ff'),
    fill('JPEG of empty comments', jpeg, 2, 'fffe0002'),
    fill('JPEG of empty APP1 segments', jpeg, 2, 'ffe10002'),
    fill('JPEG of stray FF00', jpeg, 2, 'ff00'),
    fill('JPEG of stray restart markers', jpeg, 2, 'ffd0'),
    fill('JPEG of restart intervals', jpeg, 2, 'ffdd00040000'),
    fill('JPEG of empty tables', jpeg, 2, 'ffdb0002'),
    fill('JPEG of comments between tables', jpeg, 2, 'fffe0002ffdb0002'),
    fill('JPEG of escapes in its scan', jpeg, scan, 'ff00'),
    fill('JPEG of restart markers in its scan', jpeg, scan, '00ffd0'),
    fill('JPEG of comments in its scan', jpeg, scan, 'fffe0002'),
    fill('JPEG of D9 in its scan', jpeg, scan, 'd9'),
    fill('GIF of empty comments', gif, control, '21fe00'),
    fill('GIF of comments between controls', gif, control, '21fe0021f9040000000000'),
    fill('GIF of one-byte comments', gif, control + 8, '21fe014100'),
    fill('GIF of one-byte sub-blocks', gif, data, '0100'),
    fill('GIF of zeros after its picture', gif, gif.length - 1, '00'),
    withSize(fill('WebP of empty chunks', extended, 30, '4a554e4b00000000')),
    withSize(fill('WebP of one-byte chunks', extended, 30, '4a554e4b010000004100')),
    fill('SVG of comments', Buffer.from('<svg/>'), 0, Buffer.from('<!---->').toString('hex')),
    fill('text of spaces', Buffer.from('text'), 0, '20'),
    fill('HEIC of brands', Buffer.from('013fffe066747970', 'hex'), 8, '68656978'),
    fill('ZIP of empty files', Buffer.alloc(0), 0, '504b0304'.padEnd(60, '0')),
    fill('TIFF of directory entries', Buffer.from('49492a0008000000ffff', 'hex'), 10, '000103000100000000000000'),
  ];
}

function withSize({ name, bytes }: Crafted): Crafted {
  bytes.writeUInt32LE(bytes.length - 8, 4);
  return { name, bytes };
}
