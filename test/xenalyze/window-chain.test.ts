import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemorySource } from '../../src/decoder/trace-source.ts';
import { Analyser } from '../../src/xenalyze/analyser.ts';
import { FileBlocks } from '../../src/xenalyze/file-blocks.ts';
import { defaultOptions } from '../../src/xenalyze/options.ts';
import { TextOutput } from '../../src/xenalyze/text-output.ts';
import { RECORD_WORDS } from '../../src/xenalyze/wasm/walk-layout.ts';

interface Window {
  readonly pcpu: number;
  readonly words: number;
}

const windows = fc.array(fc.record({ pcpu: fc.nat(4), words: fc.nat(3) }), { minLength: 1, maxLength: 60 });

/** A file with windows; behind them lies as much as is read at once. */
function fileOf(list: readonly Window[]): { bytes: Uint8Array; offsets: number[] } {
  const offsets: number[] = [];
  const words: number[] = [];
  for (const { pcpu, words: length } of list) {
    offsets.push(words.length * 4);
    words.push(0x2001f003, pcpu, length * 4, ...new Array<number>(length).fill(0));
  }
  offsets.push(words.length * 4);
  words.push(...new Array<number>(RECORD_WORDS).fill(0));
  return { bytes: new Uint8Array(Uint32Array.from(words).buffer), offsets };
}

const silent = new TextOutput(() => {});

const steps = fc.array(fc.record({ nth: fc.nat(59), finds: fc.boolean(), hopsFirst: fc.boolean() }), {
  maxLength: 60,
});

test('a pCPU leaps to where hops from window to window lead, and finds the same last epoch', () => {
  fc.assert(
    fc.property(
      windows,
      fc.subarray([0, 1, 2, 3, 4]),
      fc.boolean(),
      steps,
      (list, familiar, isInOrder, random) => {
        const { bytes, offsets } = fileOf(list);
        const a = new Analyser(defaultOptions(), silent, silent, new Map() as never, 0n, undefined);
        const { program, run } = a.memory;
        new FileBlocks(a, new MemorySource('windows', bytes));
        const pcpus = [0, 1, 2, 3, 4].map((number) => a.pcpu(number));
        for (const pcpu of pcpus) pcpu.active = familiar.includes(pcpu.number);
        // Each familiar pCPU goes from each of its windows to the next one, as a trace is read. Or from some of them, in any
        // order: one that has come to its end may be found again by others; then it may not know the window that it is in.
        const inOrder = list.map((_, nth) => ({ nth, finds: true, hopsFirst: nth % 2 === 0 }));
        for (const { nth, finds, hopsFirst } of isInOrder ? inOrder : random) {
          const own = nth % list.length;
          const window = list[own];
          if (!familiar.includes(window.pcpu)) continue;
          const pcpu = pcpus[window.pcpu];
          pcpu.fileOffset = offsets[own];
          if (finds) expect(program.findOwn(pcpu.address)).toBe(window.words * 4);
          let at = own + 1;
          let [last, epoch] = [pcpu.number, -1];
          const hop = () => {
            if (last > list[at].pcpu) epoch = offsets[at];
            last = list[at].pcpu;
            at++;
          };
          const canHop = () =>
            at < list.length && list[at].pcpu !== pcpu.number && familiar.includes(list[at].pcpu);
          if (hopsFirst && canHop()) hop();
          pcpu.fileOffset = offsets[at];
          pcpu.lastCpuChangePcpu = last;
          run.lastEpoch = epoch;
          while (canHop()) hop();
          while (program.leap(pcpu.address));
          expect(pcpu.fileOffset).toBe(offsets[at]);
          expect(pcpu.lastCpuChangePcpu).toBe(last);
          expect(run.lastEpoch).toBe(epoch);
        }
      },
    ),
    { numRuns: 300 },
  );
});
