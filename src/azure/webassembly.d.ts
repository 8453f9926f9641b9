/** The part of WebAssembly that this app uses. TypeScript declares it only for browsers. */
declare namespace WebAssembly {
  type Module = object;
  const Module: new (bytes: Uint8Array) => Module;
  const Instance: new (module: Module) => { readonly exports: Readonly<Record<string, unknown>> };
  interface Memory {
    readonly buffer: ArrayBuffer;
    grow: (pages: number) => number;
  }
  const Memory: { readonly prototype: Memory } & (abstract new () => Memory);
}
