import { element } from './element.ts';

/** Where images come from: picked, photographed, dropped anywhere on the page, or pasted. */
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
    // Otherwise the same file, picked again after it was removed, would be no change.
    input.value = '';
    onFiles(files);
  });
}

function dropAnywhere(onFiles: (files: readonly File[]) => void, onNone: () => void): void {
  document.addEventListener('dragover', (event) => {
    // Without this the browser leaves the page for the file.
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

/** What office programs copy is text and a picture of it; in a field, the text is meant. */
function isTextMeant({ target, clipboardData }: ClipboardEvent): boolean {
  const inField = target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement;
  return inField && (clipboardData?.types.includes('text/plain') ?? false);
}
