import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { keyReference } from '../../src/scenario/key-reference.ts';
import { errorsOf, parse } from './errors-of.ts';

const path = fileURLToPath(new URL('../../docs/scenarios.md', import.meta.url));
const BEGIN = /^<!-- keys: .* -->$/m;
const END = '<!-- end of keys -->';

describe('docs/scenarios.md', () => {
  it('has the tables that the declarations of the keys make', () => {
    const text = readFileSync(path, 'utf8');
    const marker = BEGIN.exec(text)!;
    const from = marker.index + marker[0].length;
    const to = text.indexOf(END);
    const tables = `\n\n${keyReference()}\n\n`;
    if (process.env.UPDATE_DOCS) writeFileSync(path, text.slice(0, from) + tables + text.slice(to));
    expect(
      readFileSync(path, 'utf8').slice(from, -1),
      'UPDATE_DOCS=1 npx vitest run test/scenario',
    ).toContain(tables);
  });

  it('opens with an example that is a scenario', () => {
    const example = /```yaml\n([\s\S]*?)```/.exec(readFileSync(path, 'utf8'))![1]!;
    expect(parse(example).domains.map(({ vcpus }) => vcpus.length)).toEqual([2, 2]);
  });

  it('shows messages as they are', () => {
    const messages = /```text\n([\s\S]*?)```/.exec(readFileSync(path, 'utf8'))![1]!.trim().split('\n');
    const text = `


host: {pcpus: 4, cores: 2}




domains:
  - wieght: 5
    id: 1
    vcpus:
      - workload: duty 1ms 9msec
      - hog
      - hog
      - workload: hog
        rtds: {period: 10ms, budget: 20ms}
`;
    expect(errorsOf(text).map((message) => `scenario.yaml:${message}`)).toEqual(messages);
  });
});
