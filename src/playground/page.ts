import { AnswerPanel } from './answer-panel.ts';
import { call } from './call.ts';
import { wireCopyButtons } from './clipboard.ts';
import { element, tell } from './element.ts';
import { FunctionKey } from './function-key.ts';
import { Gallery } from './gallery.ts';
import { takeFiles } from './intake.ts';
import { JobsPanel } from './jobs-panel.ts';
import type { PageSettings } from './page-settings.ts';
import { QuestionForm } from './question-form.ts';

/** The URL of processImage, relative to this page, so that it works with any route prefix. */
const url = new URL('processImage', location.href).href;

const settings: PageSettings = JSON.parse(document.body.dataset['settings'] ?? '');
const form = element('form', HTMLFormElement);
const askButton = element('ask', HTMLButtonElement);
const stopButton = element('stop', HTMLButtonElement);
const notice = element('notice', HTMLParagraphElement);
const panel = new AnswerPanel();
const question = new QuestionForm(settings);
const gallery = new Gallery(settings, showCurl);
const key = new FunctionKey(settings.authLevel, showCurl);
let running: AbortController | undefined;

takeFiles(
  (files) => tell(notice, gallery.add(files)),
  () => tell(notice, 'What you dropped is not a file. Save the image first, then drop the file.'),
);
wireCopyButtons();
if (settings.jobs) {
  const jobs = new JobsPanel({ question: () => Object.fromEntries(question.fields()), key });
  jobs.open(settings.jobs.source);
}
form.addEventListener('input', showCurl);
form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (!running) void ask();
});
stopButton.addEventListener('click', () => running?.abort());
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') running?.abort();
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey))
    (document.activeElement?.closest('form') ?? form).requestSubmit();
});
showCurl();

async function ask(): Promise<void> {
  const objection = gallery.objection();
  tell(notice, objection);
  if (objection) return;

  const controller = new AbortController();
  const started = performance.now();
  const since = (): number => performance.now() - started;
  let timings: { sent?: number; firstWords?: number } = {};
  gallery.mark(undefined);
  setRunning(controller);
  panel.begin();
  const ending = await call(
    { url, body: question.toBody(gallery.files), header: key.header, signal: controller.signal },
    {
      sent(share) {
        if (share === 1) timings = { sent: since(), ...timings };
        panel.sent(share);
      },
      words(words) {
        timings = { firstWords: since(), ...timings };
        panel.words(words);
      },
    },
  );
  panel.end(ending, { ...timings, ended: since() });
  setRunning(undefined);
  if (!('problem' in ending)) return;
  gallery.mark(ending.problem.image);
  if (ending.problem.wantsKey) key.request();
}

/** Swaps the buttons "Ask" and "Stop". The focus moves from one to the other. */
function setRunning(controller: AbortController | undefined): void {
  running = controller;
  const [shown, hidden] = controller ? [stopButton, askButton] : [askButton, stopButton];
  const hadFocus = document.activeElement === hidden;
  shown.hidden = false;
  if (hadFocus) shown.focus();
  hidden.hidden = true;
}

function showCurl(): void {
  question.showCurl(url, gallery.files, key.shellHeader);
}
