/**
 * Compiles the programs of this folder to WebAssembly: beside their sources, where tests look for them, and into the
 * folders that are given.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';

const PROGRAMS = ['percentile-search'];
const OPTIONS = ['-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--memoryBase', '1024'];

for (const program of PROGRAMS) {
  const outputs = new Map();
  const { error, stderr } = await asc.main([`${program}.ts`, '--outFile', `${program}.wasm`, ...OPTIONS], {
    readFile: (name) => {
      try {
        return readFileSync(join(import.meta.dirname, name), 'utf8');
      } catch {
        return null;
      }
    },
    writeFile: (name, content) => outputs.set(name, content),
  });
  if (error) {
    process.stderr.write(`${stderr.toString()}\n`);
    process.exit(1);
  }
  for (const folder of [import.meta.dirname, ...process.argv.slice(2)]) {
    mkdirSync(folder, { recursive: true });
    for (const [name, content] of outputs) writeFileSync(join(folder, name), content);
  }
}
