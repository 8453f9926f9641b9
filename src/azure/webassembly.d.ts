/** Of what Node has under this name, what is used here: TypeScript knows it as a browser's only. */
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
