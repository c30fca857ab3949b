import { readFileSync } from 'node:fs';
import { UserError } from '../base/errors.ts';

/** What memories are measured in. */
export const PAGE_BYTES = 65_536;

/**
 * A memory for a program; see {@link WebAssembly.Memory}.
 *
 * @throws UserError where a process may not have so many addresses: V8 takes some gigabytes for each memory, whatever
 *   its size, of which only what is used takes room.
 */
export function createMemory(size: WebAssembly.MemorySize): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory(size);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UserError('too-few-addresses', 'there are not enough addresses for the memory of this verb', {
      hint: 'if ulimit -v limits them, allow 40 GB: they are addresses, not memory',
    });
  }
}

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
