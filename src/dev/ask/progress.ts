import { createLogUpdate } from 'log-update';

const BAR_WIDTH = 30;
/** How often to show the progress, in milliseconds: on a terminal, and as lines in a file. */
const TERMINAL_MS = 100;
const LINE_MS = 10_000;
const count = new Intl.NumberFormat('en-US');

/** Creates a progress display on stderr, which counts images and tokens. */
export function showProgress() {
  const { stderr } = process;
  const bar = stderr.isTTY ? createLogUpdate(stderr) : undefined;
  let total = 0;
  let before = 0;
  let answered = 0;
  let failed = 0;
  let tokens = 0;
  let startedAt = 0;
  let timer: NodeJS.Timeout | undefined;

  return {
    /** Counts an image before the start. */
    found(isAnswered: boolean): void {
      total += 1;
      if (isAnswered) before += 1;
    },
    start(): void {
      console.log(`${images(total)}, ${count.format(before)} of them already answered.`);
      startedAt = performance.now();
      timer = setInterval(show, bar ? TERMINAL_MS : LINE_MS);
    },
    answered(itsTokens: number): void {
      answered += 1;
      tokens += itsTokens;
    },
    failed(): void {
      failed += 1;
    },
    end(isStopped: boolean): void {
      clearInterval(timer);
      show();
      bar?.done();
      const left = total - before - answered - failed;
      const rest = isStopped && left > 0 ? ` Stopped with ${count.format(left)} left. Run it again to continue.` : '';
      console.log(`${count.format(answered)} answered, ${count.format(failed)} failed.${rest}`);
    },
  };

  function show(): void {
    const done = before + answered + failed;
    const share = total === 0 ? 1 : done / total;
    const perSecond = (answered + failed) / Math.max((performance.now() - startedAt) / 1_000, 0.001);
    const facts = [
      `${count.format(done)} of ${images(total)}`,
      `${perSecond.toFixed(1)} a second`,
      `${count.format(tokens)} tokens`,
      ...(failed > 0 ? [`${count.format(failed)} failed`] : []),
      ...(done < total && perSecond > 0 ? [`${duration((total - done) / perSecond)} left`] : []),
    ].join(', ');
    const filled = Math.round(share * BAR_WIDTH);
    if (bar) bar(`${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${facts}`);
    else stderr.write(`${facts}\n`);
  }
}

function images(number: number): string {
  return `${count.format(number)} image${number === 1 ? '' : 's'}`;
}

function duration(seconds: number): string {
  if (seconds < 100) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
