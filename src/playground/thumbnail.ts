import { make } from './element.ts';
import type { PageSettings } from './page-settings.ts';
import { sizeInWords } from './figures.ts';

/** The types that the app accepts. It converts HEIC, HEIF, AVIF and TIFF to JPEG or PNG. */
const TYPES = new Set('png jpeg webp gif heic heif avif tiff'.split(' ').map((name) => `image/${name}`));
/** Extensions of types that a browser may not know. */
const ENDINGS = /\.(?:heic|heif|avif|tiff?)$/i;
/** The accepted types in words. */
export const TYPE_NAMES = 'PNG, JPEG, WEBP, GIF, HEIC, AVIF or TIFF';

/** One chosen image: a preview, its type and size, and why it may be refused. */
export class Thumbnail {
  readonly file: File;
  readonly item: HTMLLIElement;
  readonly removeButton: HTMLButtonElement;
  /** Whether it has more bytes than the app accepts. */
  readonly tooLarge: boolean;
  readonly #url: string;

  constructor(file: File, { maxImageBytes }: PageSettings) {
    this.file = file;
    this.tooLarge = file.size > maxImageBytes;
    this.#url = URL.createObjectURL(file);

    const [, image] = /^image\/(.+)$/.exec(file.type) ?? [];
    const kind = image?.toUpperCase() ?? (file.type || 'unknown type');
    const facts = make('span', 'quiet', `${kind}, ${sizeInWords(file.size)}`);
    const frame = make('div', 'frame', picture(this.#url, facts));
    const name = make('span', 'name', file.name);
    name.title = file.name;
    const fault = make('span', 'fault', this.#fault(maxImageBytes));
    this.removeButton = make('button', '', '×');
    this.removeButton.type = 'button';
    this.removeButton.ariaLabel = `Remove ${file.name}`;
    this.item = make(
      'li',
      this.tooLarge ? 'faulty' : '',
      make('figure', '', frame, make('figcaption', '', name, facts, fault)),
      this.removeButton,
    );
  }

  /** Removes the preview and frees its memory in the browser. */
  dispose(): void {
    this.item.remove();
    URL.revokeObjectURL(this.#url);
  }

  #fault(maxImageBytes: number): string {
    if (this.tooLarge) return `Too large: ${sizeInWords(maxImageBytes)} at most`;
    const { type, name } = this.file;
    return TYPES.has(type) || ENDINGS.test(name) ? '' : `Perhaps not a ${TYPE_NAMES}`;
  }
}

/**
 * Creates the preview, and adds the size in pixels to the facts. If the browser cannot show the image, text replaces
 * it.
 */
function picture(url: string, facts: HTMLElement): HTMLImageElement {
  const image = make('img', '');
  image.alt = '';
  image.decoding = 'async';
  image.addEventListener('load', () => facts.append(`, ${image.naturalWidth} × ${image.naturalHeight}`));
  image.addEventListener('error', () => image.replaceWith('no preview'));
  image.src = url;
  return image;
}
