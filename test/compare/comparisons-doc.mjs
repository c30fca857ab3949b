/**
 * Runs the commands of docs/comparisons.md again and puts what they print in their place: `npm run build`, then
 * `node test/compare/comparisons-doc.mjs`. Takes minutes. Of all outputs but the first only the tables stay.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const path = `${root}/docs/comparisons.md`;

const BLOCK = /```text\n\$ xenscope (compare (?:[^\n]*\\\n)*[^\n]*)\n[\s\S]*?```/g;

let outputs = 0;
const text = readFileSync(path, 'utf8').replace(BLOCK, (_, command) => {
  process.stderr.write(`${command}\n`);
  const line = `"${process.execPath}" dist/cli/main.js ${command}`;
  const { stdout, status, stderr } = spawnSync('bash', ['-c', line], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command}: exit code ${status}: ${stderr}`);
  const output = outputs++ === 0 ? stdout.trimEnd() : tablesOf(stdout);
  return `\`\`\`text\n$ xenscope ${command}\n\n${output}\n\`\`\``;
});
writeFileSync(path, text);

/** For each pair of variants its title and the table of its headline figures. */
function tablesOf(stdout) {
  const parts = stdout.split('\n\n').filter((part) => / against /.test(part.split('\n')[0]));
  return parts.map((part) => part.trimEnd()).join('\n\n');
}
