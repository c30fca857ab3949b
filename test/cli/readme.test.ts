import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { runCli, scratchFolder } from './run-cli.ts';

const root = resolve(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const scratch = scratchFolder();
afterAll(() => scratch.remove());

describe('README.md', () => {
  test('shows what xenscope really prints', () => {
    const scenario = join(root, 'samples/busy-host.yaml');
    const trace = scratch.path('run.trace');
    expect(runCli(['record', scenario, '-o', trace, '-q']).status).toBe(0);
    const printed = runCli(['analyze', trace, '--scenario', scenario])
      .stdout.replace(trace, 'run.trace')
      .split('\n');
    const shown = /```text\n([\s\S]*?)```/.exec(readme)![1]!.trim().split('\n');
    // Wide rows are cut at the right; the line that names the file is wrapped by its length.
    const unknown = shown.filter((line) => line !== '...' && !printed.some((real) => real.startsWith(line)));
    expect(unknown).toEqual([]);
    expect(shown.length).toBeGreaterThan(20);
  });

  test('what stands out is said of all passes together, and for programs too', () => {
    const trace = join(root, 'samples/traces/credit-caps.trace');
    const printed = (...options: string[]) => runCli(['analyze', trace, ...options]).stdout;
    const { findings } = JSON.parse(printed('--format', 'json'));
    const text = printed().replace(/\s+/g, ' ');
    expect(findings.length).toBeGreaterThan(3);
    for (const finding of findings) expect(text).toContain(` - ${finding.text} `);
    expect(printed('--only', 'waits')).not.toContain('What stands out');
    expect(JSON.parse(printed('--only', 'waits', '--format', 'json'))).not.toHaveProperty('findings');
  });

  test('its first two commands do everything', () => {
    const commands = /```sh\n([\s\S]*?)```/.exec(readme)![1]!.trim().split('\n');
    expect(commands).toEqual(['npm ci && npm run demo', 'npm ci && npm test']);
  });

  test('every file that it and the docs link to exists', () => {
    const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map((match) => match[1]!);
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((link) => !existsSync(join(root, link)))).toEqual([]);
  });
});
