import { element } from './element.ts';

/**
 * Receives files that are picked, photographed, pasted, or dropped anywhere on the page.
 * @param onNone - called if something other than a file is dropped
 */
export function takeFiles(onFiles: (files: readonly File[]) => void, onNone: () => void): void {
  for (const id of ['pick', 'photograph']) pickFrom(element(id, HTMLInputElement), onFiles);
  dropAnywhere(onFiles, onNone);
  document.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0 || isTextMeant(event)) return;
    event.preventDefault();
    onFiles(files);
  });
}

function pickFrom(input: HTMLInputElement, onFiles: (files: readonly File[]) => void): void {
  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])];
    // Otherwise there is no change event if the same file is removed and then picked again.
    input.value = '';
    onFiles(files);
  });
}

function dropAnywhere(onFiles: (files: readonly File[]) => void, onNone: () => void): void {
  document.addEventListener('dragover', (event) => {
    // Otherwise the browser would open the dropped file instead of the page.
    event.preventDefault();
    showDragging(event.dataTransfer?.types.includes('Files') ?? false);
  });
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) showDragging(false);
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    showDragging(false);
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length > 0) onFiles(files);
    else onNone();
  });
}

function showDragging(on: boolean): void {
  document.body.classList.toggle('dragging', on);
}

/**
 * Returns whether to paste as text. Office programs copy text together with a picture of it; in a field, use the text.
 */
function isTextMeant({ target, clipboardData }: ClipboardEvent): boolean {
  const inField = target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement;
  return inField && (clipboardData?.types.includes('text/plain') ?? false);
}
