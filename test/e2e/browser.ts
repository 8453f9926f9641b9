import { type Browser, chromium } from 'playwright-core';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** A URL whose response is the address of this run's browser. */
    readonly browser: string;
  }
}

/** Connects to the browser that all tests of this run share. `close()` closes the connection and its pages only. */
export async function openBrowser(): Promise<Browser> {
  const response = await fetch(inject('browser'));
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return chromium.connect(text);
}
