import { describe, expect, test } from 'vitest';
import {
  gatherDomains,
  gatherPcpus,
  gatherTexts,
  gatherVcpus,
  repeatable,
  repeatableMap,
} from '../../src/cli/arguments.ts';
import { gatherPasses } from '../../src/cli/passes.ts';

describe('options that may be given several times', () => {
  test('each adds to what was given before, in that order, and changes none of it', () => {
    const numbers = repeatable((text) => text.split(',').map(Number));
    const first = numbers('2,1');
    expect(numbers('3', first)).toEqual([2, 1, 3]);
    expect(first).toEqual([2, 1]);
  });

  test('the same file may be given for each of two traces', () => {
    expect(gatherTexts('run.yaml', gatherTexts('run.yaml'))).toEqual(['run.yaml', 'run.yaml']);
  });

  test('of what is said of a domain twice the later holds', () => {
    const weights = repeatableMap((text) => new Map([[text[0], text.slice(2)]]));
    expect([...weights('1=9', weights('2=8', weights('1=7')))]).toEqual([
      ['1', '9'],
      ['2', '8'],
    ]);
  });

  test('vCPUs, domains and pCPUs add up', () => {
    expect(gatherVcpus('d2', gatherVcpus('d1v3'))).toEqual([
      { dom: 1, vcpu: 3 },
      { dom: 2, vcpu: undefined },
    ]);
    expect(gatherDomains('2', gatherDomains('d1')).map(({ dom }) => dom)).toEqual([1, 2]);
    expect([...gatherPcpus('3', gatherPcpus('0-1'))]).toEqual([0, 1, 3]);
  });

  test('a pass that is named twice runs once', () => {
    const passes = gatherPasses('waits', gatherPasses('blame, waits'));
    expect(passes.map(({ name }) => name)).toEqual(['blame', 'waits']);
  });

  test('what is no pass is told with the nearest name, or all of them', () => {
    expect(() => gatherPasses('wait')).toThrow(/"wait" is no pass; did you mean "waits"\?/);
    expect(() => gatherPasses('')).toThrow(/"" is no pass; there are .*waits.*blame/);
  });
});
