import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadScenario } from '../../src/scenario/index.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = `${root}/samples/comparisons`;
const samples = readdirSync(folder);
const doc = readFileSync(`${root}/docs/comparisons.md`, 'utf8');

describe.each(samples)('samples/comparisons/%s', (sample) => {
  test('is a scenario that opens with what to compare', () => {
    expect(loadScenario(`${folder}/${sample}`).domains.length).toBeGreaterThan(1);
    const comment = readFileSync(`${folder}/${sample}`, 'utf8').split('\nname:')[0];
    expect(comment).toMatch(/What to compare:/);
    expect(comment).toMatch(new RegExp(`xenscope compare samples/comparisons/${sample}`));
  });

  test('is in docs/comparisons.md with what it gives', () => {
    const command = `$ xenscope compare samples/comparisons/${sample} --schedulers `;
    const output = doc.split(command)[1]?.split('```')[0];
    expect(output).toMatch(/ against /);
    expect(output).toMatch(/verdict/);
  });
});

test('there are the six that the documents promise', () => {
  expect(samples).toHaveLength(6);
});
