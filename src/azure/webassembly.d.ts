/** Of what Node has under this name, what is used here: TypeScript knows it as a browser's only. */
declare namespace WebAssembly {
  const Module: new (bytes: Uint8Array) => object;
  const Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> };
  const Memory: abstract new () => { readonly buffer: ArrayBuffer };
}
