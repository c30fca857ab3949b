/**
 * Compiles the programs of this folder to WebAssembly: beside their sources, where tests look for them, and into the
 * folders that are given.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { STRUCTS } from './structs.mjs';

const HERE = import.meta.dirname;
const OPTIONS = ['-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--memoryBase', '1024'];
/** Memory that threads may share, up to all that there can be. */
const SHARED = [...OPTIONS, '--enable', 'threads', '--sharedMemory', '--maximumMemory', '65536'];
const PROGRAMS = { 'percentile-search': OPTIONS, walk: SHARED, 'runstate-counter': SHARED };

/** The classes of ./structs.mjs, which programs import from a file that is nowhere: structs.ts. */
export const STRUCT_CLASSES = Object.entries(STRUCTS).map(classOf).join('\n');

function classOf([name, fields]) {
  const typeOf = (type) => (type in STRUCTS ? `${type} | null` : type);
  const members = Object.entries(fields).map(([field, type]) => `${field}: ${typeOf(type)};`);
  return `@unmanaged export class ${name} { ${members.join(' ')} }`;
}

/** What Vitest does before all tests: they are to see what the sources say. */
export const setup = () => compileTo([HERE]);

async function compileTo(folders) {
  for (const [program, options] of Object.entries(PROGRAMS)) {
    const content = await compile(program, options);
    for (const folder of folders) {
      mkdirSync(folder, { recursive: true });
      writeIfDifferent(join(folder, `${program}.wasm`), content);
    }
  }
}

async function compile(program, options) {
  let content;
  const { error, stderr } = await asc.main([`${program}.ts`, '--outFile', `${program}.wasm`, ...options], {
    readFile: (name) => {
      if (name === 'structs.ts') return STRUCT_CLASSES;
      return existsSync(join(HERE, name)) ? readFileSync(join(HERE, name), 'utf8') : null;
    },
    writeFile: (_, bytes) => {
      content = bytes;
    },
  });
  if (error) throw new Error(stderr.toString());
  return content;
}

/** Somebody may be reading the file. */
function writeIfDifferent(path, content) {
  if (!existsSync(path) || !readFileSync(path).equals(content)) writeFileSync(path, content);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await compileTo([HERE, ...process.argv.slice(2)]);
