import { describe, expect, test } from 'vitest';
import { WindowIndex } from '../../src/decoder/window-index.ts';

describe('WindowIndex', () => {
  test('gives back each pCPU its own windows, in order of pCPUs and of the file', () => {
    const index = new WindowIndex('time');
    for (const pcpu of [7, 0, 7, 3]) index.add(1000 * index.windows, 100 + index.windows, pcpu);
    expect(index.pcpus).toEqual([0, 3, 7]);
    const all = index.feeds().map((feed) => [feed.next(), feed.next(), feed.next()]);
    expect(all).toEqual([
      [{ offset: 1000, bytes: 101, pcpu: 0 }, undefined, undefined],
      [{ offset: 3000, bytes: 103, pcpu: 3 }, undefined, undefined],
      [{ offset: 0, bytes: 100, pcpu: 7 }, { offset: 2000, bytes: 102, pcpu: 7 }, undefined],
    ]);
  });

  test('keeps one chain in file order, when that is wanted', () => {
    const index = new WindowIndex('file');
    for (const pcpu of [7, 0, 4095]) index.add(1000 * index.windows, 0xffff_fffc, pcpu);
    const [feed, ...others] = index.feeds();
    expect(others).toEqual([]);
    expect([feed.next(), feed.next(), feed.next(), feed.next()].map((window) => window?.pcpu)).toEqual([
      7,
      0,
      4095,
      undefined,
    ]);
  });

  test('windows found late come before those that lie behind them', () => {
    const index = new WindowIndex('time');
    index.add(500, 10, 0);
    const [feed] = index.feeds();
    feed.insert({ offset: 300, bytes: 8, pcpu: 0 });
    feed.insert({ offset: 200, bytes: 4, pcpu: 0 });
    expect([feed.next()?.offset, feed.next()?.offset, feed.next()?.offset]).toEqual([200, 300, 500]);
  });

  test('holds millions of windows, most of them in a temporary file', () => {
    const index = new WindowIndex('time');
    const windows = 2_400_000;
    for (let i = 0; i < windows; i++) index.add(5e9 + 16 * i, i % 1000, i % 3);
    for (const [stream, feed] of index.feeds().entries()) {
      let wrong = 0;
      for (let i = stream; i < windows; i += 3) {
        const window = feed.next();
        if (window?.offset !== 5e9 + 16 * i || window.bytes !== i % 1000 || window.pcpu !== stream) wrong++;
      }
      expect([wrong, feed.next()]).toEqual([0, undefined]);
    }
    index.close();
  });
});
