/** What Node has of WebAssembly, which its types leave to those of browsers; as far as it is used here. */
declare namespace WebAssembly {
  type Imports = Record<string, Record<string, Memory | ((...values: number[]) => unknown)>>;

  interface MemorySize {
    initial: number;
    maximum?: number;
    shared?: boolean;
  }

  class Memory {
    constructor(size: MemorySize);
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
