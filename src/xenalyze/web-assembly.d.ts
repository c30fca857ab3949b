/** What Node has of WebAssembly, which its types leave to those of browsers; as far as it is used here. */
declare namespace WebAssembly {
  type Imports = Record<string, Record<string, Memory | ((...values: number[]) => unknown)>>;

  class Memory {
    constructor(size: { initial: number; maximum?: number; shared?: boolean });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }

  class Module {
    constructor(bytes: Uint8Array);
  }

  class Instance {
    constructor(program: Module, imports: Imports);
    readonly exports: unknown;
  }
}
