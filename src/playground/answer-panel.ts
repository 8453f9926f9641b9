import type { Ending, Listener } from './call.ts';
import { element, tell } from './element.ts';
import { showFacts } from './facts.ts';
import { text } from './member.ts';
import type { Problem } from './problem.ts';
import { duration, type Timings } from './figures.ts';

/** The panel that shows an answer: progress, the text as it arrives, and the result. */
export class AnswerPanel implements Listener {
  readonly #panel = element('panel', HTMLElement);
  readonly #status = element('status', HTMLParagraphElement);
  readonly #progress = element('progress', HTMLProgressElement);
  readonly #answer = element('answer', HTMLDivElement);
  readonly #remark = element('remark', HTMLParagraphElement);
  readonly #problem = element('problem', HTMLDivElement);
  readonly #facts = element('facts', HTMLDListElement);
  readonly #json = element('json', HTMLPreElement);
  readonly #jsonSection = element('json-section', HTMLDetailsElement);

  /** Clears the panel for a new answer. */
  begin(): void {
    document.getElementById('empty')?.remove();
    this.#answer.replaceChildren();
    for (const part of [this.#answer, this.#remark, this.#problem, this.#facts, this.#jsonSection]) part.hidden = true;
    this.#panel.classList.add('busy');
    // Otherwise a screen reader would read the answer in fragments while it arrives.
    this.#answer.ariaBusy = 'true';
    this.sent(0);
    element('answer-heading', HTMLHeadingElement).scrollIntoView({ block: 'nearest' });
  }

  sent(share: number): void {
    this.#progress.hidden = share === 1;
    this.#progress.value = share;
    this.#say(share === 1 ? 'The model is looking …' : 'Sending …');
  }

  words(words: string): void {
    this.#answer.hidden = false;
    this.#answer.append(words);
    this.#say('The model is answering …');
  }

  end(ending: Ending, timings: Timings): void {
    this.#panel.classList.remove('busy');
    this.#answer.ariaBusy = 'false';
    this.#progress.hidden = true;
    if ('stopped' in ending) {
      this.#say('Stopped by you.');
    } else if ('problem' in ending) {
      this.#say('');
      this.#showProblem(ending.problem);
    } else {
      this.#say(`Done in ${duration(timings.ended)}.`);
      tell(this.#remark, remarkOn(ending.done));
      showFacts(this.#facts, ending.done, timings, ending.serverTiming);
      this.#showJson(ending.done);
    }
  }

  #showProblem({ title, detail, facts, document }: Problem): void {
    element('problem-title', HTMLHeadingElement).textContent = title;
    element('problem-detail', HTMLParagraphElement).textContent = detail;
    tell(element('problem-facts', HTMLParagraphElement), facts);
    this.#problem.hidden = false;
    if (document) this.#showJson(document);
  }

  #showJson(document: unknown): void {
    this.#json.textContent = JSON.stringify(document, null, 2);
    this.#jsonSection.hidden = false;
  }

  /** Sets the status only if it changes, because a screen reader reads each change aloud. */
  #say(words: string): void {
    if (this.#status.textContent !== words) this.#status.textContent = words;
    this.#status.hidden = words === '';
  }
}

/** Returns a remark if the answer is not complete: refused, cut off or empty. */
function remarkOn(done: unknown): string | undefined {
  const refusal = text(done, 'refusal');
  if (refusal) return `The model declined: ${refusal}`;
  switch (text(done, 'finishReason')) {
    case 'length':
      return 'The answer was cut off at the token limit. Raise "Max tokens" for more.';
    case 'content_filter':
      return 'Azure’s content filter stopped the answer here.';
    default:
      return text(done, 'answer') ? undefined : 'The model answered without any text.';
  }
}
