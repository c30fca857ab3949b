import { readFileSync } from 'node:fs';

/** What memories are measured in. */
export const PAGE_BYTES = 65_536;

const programs = new Map<string, WebAssembly.Module>();

/**
 * A program of wasm/, which is compiled once however often it is started.
 *
 * @param name The name of its source, without ending.
 * @param imports What it imports besides its memory, by the file of its source.
 * @returns What it exports.
 */
export function startWasm<T>(name: string, memory: WebAssembly.Memory, imports: WebAssembly.Imports = {}): T {
  let program = programs.get(name);
  if (program === undefined) {
    program = new WebAssembly.Module(readFileSync(new URL(`./wasm/${name}.wasm`, import.meta.url)));
    programs.set(name, program);
  }
  return new WebAssembly.Instance(program, { ...imports, env: { memory } }).exports as T;
}
