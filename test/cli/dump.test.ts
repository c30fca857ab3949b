import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from './run-cli.ts';

const trace = resolve(import.meta.dirname, '../../samples/traces/credit-caps.trace');

function dump(...words: string[]): Record<string, unknown>[] {
  const { stdout, status } = runCli(['dump', trace, '--format', 'json', ...words]);
  expect(status).toBe(0);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

describe('the filters of dump', () => {
  const all = dump();

  test('all records are there, in time order', () => {
    expect(all).toHaveLength(7369);
    const times = all.filter(({ tsc }) => tsc !== null).map(({ t_ns }) => t_ns as number);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  test('each takes what it says, of the whole', () => {
    expect(dump('--pcpu', '1')).toEqual(all.filter(({ pcpu }) => pcpu === 1));
    expect(dump('--event', 'WAKE')).toEqual(all.filter(({ event }) => event === 'TRC_SCHED_WAKE'));
    expect(dump('--event', '0x28004')).toEqual(dump('--event', 'TRC_SCHED_WAKE'));
    expect(dump('--event', 'credit')).toEqual(
      all.filter(({ event }) => String(event).startsWith('TRC_CSCHED_')),
    );
    expect(dump('--from', '1s', '--to', '1.5s')).toEqual(
      all.filter(({ t_ns }) => (t_ns as number) >= 1e9 && (t_ns as number) < 1.5e9),
    );
    expect(dump('-n', '5')).toEqual(all.slice(0, 5));
  });

  test('--vcpu finds a vCPU wherever a record names it, as the next one of a switch too', () => {
    const about = dump('--vcpu', 'd2v0');
    expect(about.length).toBeGreaterThan(300);
    expect(about.filter(({ event, next_dom }) => event === 'TRC_SCHED_SWITCH' && next_dom === 2).length).toBe(
      all.filter(({ event, next_dom }) => event === 'TRC_SCHED_SWITCH' && next_dom === 2).length,
    );
    expect(dump('--vcpu', 'd2')).toEqual(about);
  });

  test('each may be given several times, which adds up', () => {
    expect(dump('--pcpu', '0', '--pcpu', '1')).toEqual(all);
    expect(dump('--vcpu', 'd1', '--vcpu', 'd2v0')).toEqual(dump('--vcpu', 'd1,d2v0'));
    expect(dump('--event', 'WAKE', '--event', '0x22009')).toEqual(dump('--event', 'WAKE,0x22009'));
  });

  test('what is no event gets a sentence', () => {
    const { status, stderr } = runCli(['dump', trace, '--event', 'WAKEUP']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/no event or class is called "WAKEUP"/);
  });
});
