import { curlCommand } from './curl.ts';
import { element } from './element.ts';
import type { PageSettings } from './page-settings.ts';

/** The form with the question. */
export class QuestionForm {
  readonly #form = element('form', HTMLFormElement);

  constructor({ maxInstructions, maxOutputTokens }: PageSettings) {
    element('instructions', HTMLTextAreaElement).maxLength = maxInstructions;
    const maxTokens = element('max-tokens', HTMLInputElement);
    maxTokens.max = maxTokens.placeholder = String(maxOutputTokens);
  }

  /** Creates the request's body: the fields that are filled in, then the images. */
  toBody(files: readonly File[]): FormData {
    const body = new FormData();
    for (const [name, value] of this.fields()) body.append(name, value);
    for (const file of files) body.append('image', file);
    return body;
  }

  /** Shows the curl command that sends the same request. */
  showCurl(url: string, files: readonly File[], header: string | undefined): void {
    const fileNames = files.length > 0 ? files.map(({ name }) => name) : ['IMAGE'];
    element('curl', HTMLPreElement).textContent = curlCommand({ url, fields: this.fields(), fileNames, header });
  }

  /** Returns the fields that are filled in. */
  fields(): [name: string, value: string][] {
    return [...new FormData(this.#form)].flatMap(([name, value]) =>
      typeof value === 'string' && value ? [[name, value]] : [],
    );
  }
}
