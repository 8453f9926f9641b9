import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import {
  ColorSpace,
  ColorType,
  ConfigurationFiles,
  type IConfigurationFiles,
  type IMagickImage,
  ImageMagick,
  initializeImageMagick,
  MagickFormat,
  MagickImageInfo,
  MagickReadSettings,
  ResourceLimits,
} from '@imagemagick/magick-wasm';
import type { Decoded, Outcome, SourceType, Task } from './decoder.ts';

/**
 * The thread that decodes one image, turns it upright and encodes it again. A decoder may crash, use too much memory or
 * never end. In a thread, it can be stopped.
 */

const JPEG_QUALITY = 90;
/** The fastest level of zlib that still halves a photo. The default level takes three times as long and saves 5 %. */
const PNG_COMPRESSION = 2;
/** Chunks that must not be written. zTXt is not in the list, because excluding it also excludes the colour profile. */
const PNG_METADATA = 'bKGD,date,eXIf,iTXt,orNT,pHYs,tEXt,tIME,vpAg';
/** https://webassembly.github.io/spec/core/exec/runtime.html#memory-instances */
const WASM_PAGE_BYTES = 65_536;

/** The formats that ImageMagick reads each type as, so that it never guesses the format from the bytes. */
const FORMATS: Record<SourceType, MagickFormat> = {
  'image/heic': MagickFormat.Heic,
  'image/heif': MagickFormat.Heic,
  'image/avif': MagickFormat.Avif,
  'image/tiff': MagickFormat.Tiff,
  'image/jpeg': MagickFormat.Jpeg,
  'image/png': MagickFormat.Png,
  'image/webp': MagickFormat.WebP,
};

/** ImageMagick knows about 200 formats, and some of them run scripts. This policy allows only the formats above. */
const POLICY = `<?xml version="1.0" encoding="UTF-8"?>
<policymap>
  <policy domain="coder" rights="none" pattern="*" />
  <policy domain="coder" rights="read" pattern="{HEIC,AVIF,TIFF,WEBP}" />
  <policy domain="coder" rights="read | write" pattern="{JPEG,PNG}" />
  <policy domain="delegate" rights="none" pattern="*" />
  <policy domain="filter" rights="none" pattern="*" />
  <policy domain="path" rights="none" pattern="@*" />
</policymap>`;

const task: Task = workerData;
let isOutOfMemory = false;
limitMemory(task.maxMemoryBytes);
const magick = task.magick ?? new WebAssembly.Module(readFileSync(magickFile()));
await initializeImageMagick(magick, configuration());
const result = run(task);
parentPort?.postMessage({ magick, result } satisfies Outcome, 'decoded' in result ? [result.decoded.bytes.buffer] : []);

/** The decoder's file. In the bundle, it is in a separate folder, so that you can replace it with your own build. */
function magickFile(): URL {
  return new URL(
    import.meta.url.endsWith('.ts')
      ? import.meta.resolve('@imagemagick/magick-wasm/magick.wasm')
      : './magick/magick.wasm',
    import.meta.url,
  );
}

function configuration(): IConfigurationFiles {
  const files = ConfigurationFiles.default;
  files.policy.data = POLICY;
  return files;
}

/**
 * Limits WebAssembly's memory, which a thread's `resourceLimits` do not count. If the memory cannot grow, malloc fails
 * in the decoder, and the decoder stops.
 */
function limitMemory(maxBytes: number): void {
  const { grow } = WebAssembly.Memory.prototype;
  WebAssembly.Memory.prototype.grow = function growWithin(this: WebAssembly.Memory, pages: number): number {
    if (this.buffer.byteLength + pages * WASM_PAGE_BYTES > maxBytes) {
      isOutOfMemory = true;
      throw new RangeError('over the memory limit of one image');
    }
    return grow.call(this, pages);
  };
}

function run({ bytes, type, maxPixels }: Task): Outcome['result'] {
  // Without this, ImageMagick would continue with temporary files, which WebAssembly keeps in memory.
  ResourceLimits.disk = 0n;
  const settings = new MagickReadSettings({ format: FORMATS[type], frameIndex: 0, frameCount: 1 });
  try {
    const { width, height } = MagickImageInfo.create(bytes, settings);
    if (width * height > maxPixels) return { fault: 'too_many_pixels', dimensions: { width, height } };
    return ImageMagick.read(bytes, settings, (image) => ({ decoded: write(upright(image), type) }));
  } catch {
    // Drop the message, because it may quote the image.
    return { fault: isOutOfMemory ? 'out_of_memory' : 'corrupt' };
  }
}

/**
 * Makes the image look as in a viewer: upright, and in RGB or gray. Only the pixels and their colour profile are kept.
 * HEIC and AVIF are turned while they are decoded, and their EXIF orientation has no meaning.
 */
function upright(image: IMagickImage): IMagickImage {
  image.autoOrient();
  if (image.colorSpace !== ColorSpace.sRGB && image.colorSpace !== ColorSpace.Gray) toRgb(image);
  // The TIFF reader marks an image in separate planes as gray, and the JPEG writer would then write it in gray.
  if (image.colorSpace === ColorSpace.sRGB)
    image.colorType = image.hasAlpha ? ColorType.TrueColorAlpha : ColorType.TrueColor;
  // strip() would also make the PNG writer leave out the colour profile.
  for (const name of image.profileNames) if (name !== 'icc') image.removeProfile(name);
  // The jpeg: attributes stay: the JPEG writer needs jpeg:sampling-factor and writes none of them into the file.
  for (const name of image.attributeNames) if (!name.startsWith('jpeg:')) image.removeAttribute(name);
  return image;
}

/** Converts CMYK, Lab and others to RGB. It removes their colour profile, which does not apply to RGB. */
function toRgb(image: IMagickImage): void {
  image.colorSpace = ColorSpace.sRGB;
  image.removeProfile('icc');
}

function write(image: IMagickImage, source: SourceType): Decoded {
  const isLossless = (image.hasAlpha && !image.isOpaque) || source === 'image/png';
  image.quality = JPEG_QUALITY;
  image.settings.setDefine(MagickFormat.Png, 'compression-level', PNG_COMPRESSION);
  image.settings.setDefine(MagickFormat.Png, 'exclude-chunks', PNG_METADATA);
  if (source === 'image/heic' || source === 'image/heif')
    image.settings.setDefine(MagickFormat.Jpeg, 'sampling-factor', '4:2:0');
  const { width, height } = image;
  return image.write(isLossless ? MagickFormat.Png : MagickFormat.Jpeg, (written) => ({
    type: isLossless ? ('image/png' as const) : ('image/jpeg' as const),
    width,
    height,
    bytes: new Uint8Array(written),
  }));
}
