/**
 * Runs the code cells of a notebook for Deno in Node, all in one module, and prints what they made as JSON.
 *
 *     node run-notebook.mjs NOTEBOOK NAME...
 *
 * NAMEs are variables of the notebook. `npm:PACKAGE@VERSION` is taken from this project's packages; what the notebook gives to
 * `Deno.jupyter.display` is in `shown`.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [path, ...names] = process.argv.slice(2);
const { cells } = JSON.parse(readFileSync(path, 'utf8'));
const shown = [];
globalThis.Deno = { jupyter: { display: async (bundle) => void shown.push(bundle) } };

const code = cells
  .filter(({ cell_type }) => cell_type === 'code')
  .map(({ source }) => source.join(''))
  .join('\n')
  .replace(/"npm:((?:@[^/]+\/)?[^@"]+)(?:@[^"]*)?"/g, (_, name) => JSON.stringify(import.meta.resolve(name)));
const folder = mkdtempSync(join(tmpdir(), 'xenscope-notebook-'));
try {
  const module = join(folder, 'notebook.mjs');
  writeFileSync(module, `${code}\nexport { ${names.join(', ')} };\n`);
  process.chdir(dirname(path));
  const values = await import(pathToFileURL(module).href);
  process.stdout.write(JSON.stringify({ tables: { ...values }, shown }));
} finally {
  rmSync(folder, { recursive: true });
}
