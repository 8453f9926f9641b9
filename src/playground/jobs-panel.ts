import { element, make, tell } from './element.ts';
import { fact } from './facts.ts';
import type { FunctionKey } from './function-key.ts';
import { member, number, text } from './member.ts';
import { type Problem, problemOfResponse, unreachable } from './problem.ts';

/** The URL of the jobs route, relative to this page, so that it works with any route prefix. */
const JOBS = new URL('jobs', location.href).href;
const STORED_AS = 'job';
/** How often to ask for the status of a running job, in milliseconds. */
const EVERY_MS = 1000;
/**
 * Milliseconds to wait for each image of the job, if that is longer. The app lists all images of a job for its status,
 * so the page asks about a large job less often: every 10 seconds for 10,000 images.
 */
const EVERY_MS_PER_IMAGE = 1;
const IN_WORDS: Readonly<Record<string, string>> = {
  listing: 'Looking for images …',
  running: 'Asking about each image …',
  done: 'Done.',
  cancelled: 'Cancelled. The answers so far are kept.',
  failed: 'The job failed.',
};

/** What the jobs panel needs from the rest of the page. */
export interface JobsContext {
  /** Returns the fields of the question that are filled in. */
  readonly question: () => Readonly<Record<string, string>>;
  readonly key: FunctionKey;
}

/**
 * The panel that starts and watches a job. The browser keeps the job's id for this tab, so that a reload shows it
 * again.
 */
export class JobsPanel {
  readonly #source = element('source', HTMLInputElement);
  readonly #start = element('start-job', HTMLButtonElement);
  readonly #cancel = element('cancel-job', HTMLButtonElement);
  readonly #download = element('download-results', HTMLButtonElement);
  readonly #status = element('job-status', HTMLParagraphElement);
  readonly #progress = element('job-progress', HTMLProgressElement);
  readonly #problem = element('job-problem', HTMLDivElement);
  readonly #context: JobsContext;
  #id = sessionStorage.getItem(STORED_AS) ?? '';

  constructor(context: JobsContext) {
    this.#context = context;
  }

  /**
   * Shows the panel.
   * @param source - URL of the container to offer, or empty
   */
  open(source: string): void {
    this.#source.value = source;
    element('jobs', HTMLElement).hidden = false;
    element('job-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#runOnce(this.#start, async () => this.#begin());
    });
    this.#cancel.addEventListener('click', () => {
      void this.#runOnce(this.#cancel, async () => this.#ask(`/${this.#id}`, { method: 'DELETE' }));
    });
    this.#download.addEventListener('click', () => void this.#runOnce(this.#download, async () => this.#save()));
    if (this.#id) void this.#watch(this.#id);
  }

  async #begin(): Promise<void> {
    const { maxTokens, ...question } = this.#context.question();
    const tier = document.querySelector<HTMLInputElement>('[name=tier]:checked');
    const body = {
      source: this.#source.value.trim(),
      ...question,
      ...(maxTokens ? { maxTokens: Number(maxTokens) } : {}),
      tier: tier?.value,
      fallback: element('fallback', HTMLInputElement).checked,
    };
    const answer = await this.#ask('', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!(answer instanceof Response)) return;
    this.#id = text(await answer.json(), 'id') ?? '';
    sessionStorage.setItem(STORED_AS, this.#id);
    void this.#watch(this.#id);
  }

  /**
   * Shows the progress of a job until it ends or another one starts. It goes on after a failure that may be temporary.
   */
  async #watch(id: string): Promise<void> {
    let failedBefore = false;
    let images = 0;
    while (id === this.#id) {
      const answer = await this.#ask(`/${id}`);
      if (id !== this.#id) return;
      const failed = !(answer instanceof Response);
      if (failed) {
        const isGone = text(answer.document, 'code') === 'job_not_found';
        if (isGone) sessionStorage.removeItem(STORED_AS);
        if (isGone || answer.wantsKey) return;
      } else {
        if (failedBefore) this.#problem.hidden = true;
        const job: unknown = await answer.json();
        this.#show(job);
        if (member(job, 'finishedAt')) return;
        images = number(job, 'found') ?? 0;
      }
      failedBefore = failed;
      await new Promise((resolve) => setTimeout(resolve, Math.max(EVERY_MS, images * EVERY_MS_PER_IMAGE)));
    }
  }

  #show(job: unknown): void {
    const status = text(job, 'status') ?? '';
    const [found = 0, answered = 0, failed = 0] = ['found', 'answered', 'failed'].map((name) => number(job, name));
    const words = IN_WORDS[status] ?? status;
    // Set the status only if it changes, because a screen reader reads each change aloud.
    if (this.#status.textContent !== words) this.#status.textContent = words;
    this.#progress.max = found || 1;
    this.#progress.value = answered + failed;
    const usage = member(job, 'usage');
    element('job-facts', HTMLDListElement).replaceChildren(
      ...fact('Images found', found.toLocaleString('en')),
      ...fact('Answered', answered.toLocaleString('en')),
      ...fact('Failed', failed.toLocaleString('en')),
      ...fact('Tokens in', number(usage, 'inputTokens')?.toLocaleString('en')),
      ...fact('Tokens out', number(usage, 'outputTokens')?.toLocaleString('en')),
    );
    tell(element('job-remark', HTMLParagraphElement), remarkOn(job));
    const hasEnded = Boolean(member(job, 'finishedAt'));
    // Move the focus, because the button that has it is about to be hidden.
    if (hasEnded && document.activeElement === this.#cancel) this.#download.focus();
    this.#cancel.hidden = hasEnded;
    element('job', HTMLDivElement).hidden = false;
  }

  async #save(): Promise<void> {
    const answer = await this.#ask(`/${this.#id}/results`);
    if (!(answer instanceof Response)) return;
    const url = URL.createObjectURL(await answer.blob());
    const link = make('a', '');
    link.href = url;
    link.download = `${this.#id}.ndjson`;
    link.click();
    URL.revokeObjectURL(url);
  }

  /** Sends a request about jobs. If it fails, shows the problem and returns it. */
  async #ask(path: string, request: RequestInit = {}): Promise<Response | Problem> {
    const { key } = this.#context;
    const headers = new Headers(request.headers);
    if (key.header) headers.set(...key.header);
    const answer = await fetch(JOBS + path, { ...request, headers }).catch(unreachable);
    if (answer instanceof Response && answer.ok) return answer;
    const problem = answer instanceof Response ? await problemOf(answer) : answer;
    this.#complain(problem);
    if (problem.wantsKey) key.request();
    return problem;
  }

  #complain({ title, detail, facts }: Problem): void {
    this.#problem.replaceChildren(make('h3', '', title), make('p', '', detail), make('p', 'quiet', facts));
    this.#problem.hidden = false;
  }

  /**
   * Runs an action unless the button's last one is still running. It sets aria-disabled, because `disabled` would lose
   * the focus.
   */
  async #runOnce(button: HTMLButtonElement, action: () => Promise<unknown>): Promise<void> {
    if (button.ariaDisabled === 'true') return;
    this.#problem.hidden = true;
    button.ariaDisabled = 'true';
    await action();
    button.ariaDisabled = null;
  }
}

async function problemOf(answer: Response): Promise<Problem> {
  return problemOfResponse({
    status: answer.status,
    body: await answer.text().catch(() => ''),
    requestId: answer.headers.get('x-request-id'),
    retryAfter: answer.headers.get('retry-after'),
  });
}

/** Returns why a job failed or found no image, or where to read why some of its images failed. */
function remarkOn(job: unknown): string | undefined {
  const problem = member(job, 'problem');
  if (problem) return [text(problem, 'title'), text(problem, 'detail')].filter(Boolean).join(': ');
  return number(job, 'failed') ? 'The results say why some images failed.' : undefined;
}
