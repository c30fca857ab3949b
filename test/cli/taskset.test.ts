import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { parseScenario } from '../../src/scenario/index.ts';
import { runCli, scratchFolder } from './run-cli.ts';

const scratch = scratchFolder();
afterAll(() => scratch.remove());
const taskset = (line: string) => runCli(['taskset', ...line.split(' ')]);

describe('xenscope taskset', () => {
  test('writes the same scenario for the same seed, which runs', () => {
    const line = '-u 1.4 -n 6 --domains 2 --vcpus 2 --servers 5ms --seed 3 --duration 200ms';
    const { stdout, status } = taskset(line);
    expect(status).toBe(0);
    expect(taskset(line).stdout).toBe(stdout);
    const { domains, scheduler } = parseScenario(stdout, 'set.yaml');
    expect(scheduler).toBe('rtds');
    expect(domains.flatMap(({ guest }) => guest!.tasks).length).toBe(6);
    expect(domains.every(({ vcpus }) => vcpus.every(({ rtds }) => rtds!.periodUs === 5000))).toBe(true);
    const file = scratch.path('set.yaml');
    expect(taskset(`${line} -o ${file}`).status).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(stdout);
    expect(runCli(['record', file, '-o', scratch.path('set.trace'), '-q']).status).toBe(0);
  });

  test('rebuilds the set-up of RT-Xen 2.0, with caps for credit', () => {
    const line =
      '-u 3.1 --generator bimodal-medium --periods uniform(10ms..100ms) --domains 4 --vcpus 4 --pcpus 5 ' +
      '--servers 3ms/10ms,2ms/10ms,2ms/10ms,2ms/10ms --placement global --caps --scheduler credit';
    const { domains, host } = parseScenario(taskset(line).stdout, 'set.yaml');
    expect(host.pcpus).toBe(5);
    expect(domains.map(({ cap }) => cap)).toEqual([120, 80, 80, 80]);
    expect(domains.map(({ vcpus }) => vcpus.length)).toEqual([4, 4, 4, 4]);
    expect(domains.every(({ guest }) => guest!.placement === 'global')).toBe(true);
  });

  test('says where the servers need more than there is', () => {
    const { status, stderr } = taskset('-u 0.9 -n 5 --servers 5ms --domains 2 --deadlines-from 0.7');
    expect(status).toBe(0);
    expect(stderr).toMatch(/^xenscope: the servers have 1\.\d+ pCPUs in all, the host has 1$/m);
  });

  test.each([
    ['-n 3', 'utilisation'],
    ['-u 0', 'above 0'],
    ['-u 2 -n 1', 'cannot need 2'],
    ['-u 2', 'how many tasks'],
    ['-u 1 -n 2 --generator uunfast', 'uunifast'],
    ['-u 1 -n 2 --periods uniform(10ms)', 'expected uniform'],
    ['-u 1 -n 2 --periods uniform(1us..2us)', 'no multiple of 1ms'],
    ['-u 1 -n 2 --servers 5ms/3ms', 'budget within a period'],
    ['-u 1 -n 2 --most 1.5', 'from 0 to 1'],
  ])('refuses %s in one sentence', (line, words) => {
    const { status, stderr, stdout } = taskset(line);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(words);
  });
});
