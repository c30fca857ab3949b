import { readFileSync } from 'node:fs';

const programs = new Map<string, WebAssembly.Module>();

/**
 * A program of wasm/, which is compiled once however often it is started.
 *
 * @param name The name of its source, without ending.
 * @param env What it imports besides its memory.
 * @returns What it exports.
 */
export function startWasm<T>(
  name: string,
  memory: WebAssembly.Memory,
  env: Record<string, WebAssembly.ImportValue> = {},
): T {
  let program = programs.get(name);
  if (program === undefined) {
    program = new WebAssembly.Module(readFileSync(new URL(`./wasm/${name}.wasm`, import.meta.url)));
    programs.set(name, program);
  }
  return new WebAssembly.Instance(program, { env: { ...env, memory } }).exports as T;
}
