import { registerHooks } from 'node:module';

const core = new URL('./functions-core.ts', import.meta.url).href;

/** From here on, `@azure/functions-core` is this host's, for `import` and `require` alike. */
export function provideFunctionsCore(): void {
  registerHooks({
    resolve: (specifier, context, nextResolve) =>
      specifier === '@azure/functions-core'
        ? { url: core, format: 'module-typescript', shortCircuit: true }
        : nextResolve(specifier, context),
  });
}
