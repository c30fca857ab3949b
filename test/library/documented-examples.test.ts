/**
 * The examples of README.md and docs/ that are TypeScript: each is a program of its own that a user's compiler takes as
 * strictly as it can, imports xenscope by its name alone, and runs to its end.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformWithOxc } from 'vite';
import { afterAll, describe, expect, test } from 'vitest';
import { withoutDuckdb } from '../query/find-duckdb.ts';
import { createUserProject, ROOT } from './user-project.ts';

const TRACE = join(ROOT, 'samples/traces/credit-caps.trace');
const documents = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`)];

/** By file name, which says where the example is: `docs-decoder-115.ts`. */
const examples: Record<string, string> = {};
for (const document of documents.filter((name) => name.endsWith('.md'))) {
  const text = readFileSync(join(ROOT, document), 'utf8');
  for (const { 1: example, index } of text.matchAll(/```ts\n([\s\S]*?)```/g)) {
    const line = text.slice(0, index).split('\n').length;
    examples[`${document.replace('/', '-').replace('.md', '')}-${line}.ts`] = example!;
  }
}

const project = createUserProject();
afterAll(() => project.remove());

describe('the documented examples', () => {
  test('compile', () => {
    expect(Object.keys(examples).length).toBeGreaterThan(10);
    const { program } = project.compile(examples);
    const diagnostics = [...program.getSyntacticDiagnostics(), ...program.getSemanticDiagnostics()];
    expect(diagnostics.map(({ fileName, pos, text }) => `${fileName}:${pos}: ${text}`)).toEqual([]);
  });

  test('import nothing but xenscope and Node', () => {
    const specifiers = Object.values(examples).flatMap((text) => [...text.matchAll(/ from '([^']+)'/g)]);
    expect(new Set(specifiers.map(([, name]) => name!.replace(/^node:.*/, 'node:')))).toEqual(
      new Set(['xenscope', 'node:']),
    );
  });

  copyFileSync(TRACE, join(project.folder, 'run.trace'));
  copyFileSync(join(ROOT, 'samples/busy-host.yaml'), join(project.folder, 'scenario.yaml'));

  test.each(Object.entries(examples))('%s runs', async (name, text) => {
    if (text.includes('TraceDatabase') && withoutDuckdb !== undefined) return;
    const program = join(project.folder, name.replace(/\.ts$/, '.js'));
    writeFileSync(program, (await transformWithOxc(text, name)).code);
    const { status, stderr } = spawnSync(process.execPath, [program], {
      cwd: project.folder,
      input: readFileSync(TRACE),
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
