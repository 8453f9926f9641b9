import { element } from './element.ts';
import type { PageSettings } from './page-settings.ts';
import { sizeInWords } from './figures.ts';
import { Thumbnail, TYPE_NAMES } from './thumbnail.ts';

/** The chosen images, in the order in which they are sent. */
export class Gallery {
  readonly #settings: PageSettings;
  readonly #onChange: () => void;
  readonly #list = element('gallery', HTMLOListElement);
  #thumbnails: Thumbnail[] = [];

  constructor(settings: PageSettings, onChange: () => void) {
    this.#settings = settings;
    this.#onChange = onChange;
    const { maxImages, maxImageBytes } = settings;
    const upTo = maxImages === 1 ? 'One image' : `Up to ${maxImages} images`;
    element('pick-rules', HTMLParagraphElement).textContent =
      `${upTo}: ${TYPE_NAMES}, ${sizeInWords(maxImageBytes)} each`;
  }

  get files(): File[] {
    return this.#thumbnails.map(({ file }) => file);
  }

  /** Adds as many images as the limit allows. Returns a notice if some are left out. */
  add(files: readonly File[]): string | undefined {
    const room = this.#settings.maxImages - this.#thumbnails.length;
    for (const file of files.slice(0, room)) this.#append(new Thumbnail(file, this.#settings));
    this.#changed();
    const left = files.length - room;
    return left > 0 ? `One question may have at most ${this.#settings.maxImages} images: ${left} left out.` : undefined;
  }

  /** Returns why the service would refuse these images, so that they are not sent. Undefined if it would not. */
  objection(): string | undefined {
    const { maxBodyBytes } = this.#settings;
    if (this.#thumbnails.length === 0) return 'Choose an image first.';
    if (this.#thumbnails.some(({ tooLarge }) => tooLarge))
      return 'Remove the images marked as too large, or scale them down first.';
    const bytes = this.files.reduce((sum, { size }) => sum + size, 0);
    if (bytes <= maxBodyBytes) return undefined;
    return (
      `Together these images have ${sizeInWords(bytes)}, but a request may have at most ` +
      `${sizeInWords(maxBodyBytes)}. Remove some.`
    );
  }

  /**
   * Marks the image that a problem is about, counted from 1. Without a number, only images that are too large stay
   * marked.
   */
  mark(number: number | undefined): void {
    for (const [index, { item, tooLarge }] of this.#thumbnails.entries())
      item.classList.toggle('faulty', tooLarge || index + 1 === number);
  }

  #append(thumbnail: Thumbnail): void {
    this.#thumbnails.push(thumbnail);
    this.#list.append(thumbnail.item);
    thumbnail.removeButton.addEventListener('click', () => this.#remove(thumbnail));
  }

  #remove(thumbnail: Thumbnail): void {
    const at = this.#thumbnails.indexOf(thumbnail);
    this.#thumbnails = this.#thumbnails.filter((other) => other !== thumbnail);
    thumbnail.dispose();
    this.#changed();
    // Move the focus, because the button that had it is gone.
    const next = this.#thumbnails[at] ?? this.#thumbnails.at(-1);
    (next?.removeButton ?? element('pick', HTMLInputElement)).focus();
  }

  #changed(): void {
    this.#list.hidden = this.#thumbnails.length === 0;
    this.#onChange();
  }
}
