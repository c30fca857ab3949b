import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Pcpu } from '../../src/xenalyze/state.ts';
import { WalkMemory } from '../../src/xenalyze/walk-memory.ts';
import { WindowChain } from '../../src/xenalyze/window-chain.ts';

interface Window {
  readonly pcpu: number;
  readonly words: number;
}

const windows = fc.array(fc.record({ pcpu: fc.nat(4), words: fc.nat(3) }), { minLength: 1, maxLength: 60 });

function fileOf(list: readonly Window[]): { bytes: Uint8Array; offsets: number[] } {
  const offsets: number[] = [];
  const words: number[] = [];
  for (const { pcpu, words: length } of list) {
    offsets.push(words.length * 4);
    words.push(0x2001f003, pcpu, length * 4, ...new Array<number>(length).fill(0));
  }
  return { bytes: new Uint8Array(Uint32Array.from(words).buffer), offsets };
}

function chainOf(bytes: Uint8Array): WindowChain {
  return new WindowChain({
    name: 'windows',
    bytes: bytes.length,
    read: (target, targetAt, at, length) => {
      const piece = bytes.subarray(at, at + length);
      target.set(piece, targetAt);
      return piece.length;
    },
    close: () => {},
  });
}

const memory = new WalkMemory(0n);

test('a pCPU leaps to where hops from window to window lead, and finds the same last epoch', () => {
  fc.assert(
    fc.property(windows, fc.subarray([0, 1, 2, 3, 4]), fc.boolean(), (list, familiar, hopsFirst) => {
      const { bytes, offsets } = fileOf(list);
      const chain = chainOf(bytes);
      const pcpus = [0, 1, 2, 3, 4].map((number) => new Pcpu(number, 0, memory));
      // In the order of the file, each pCPU goes from each of its windows to the next one.
      for (const [own, window] of list.entries()) {
        const pcpu = pcpus[window.pcpu];
        const isFamiliar = (number: number) => number === pcpu.number || familiar.includes(number);
        pcpu.fileOffset = offsets[own];
        expect(chain.findOwn(pcpu)).toBe(true);
        expect(chain.ownBytes).toBe(window.words * 4);
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
        pcpu.fileOffset = offsets[at] ?? bytes.length;
        pcpu.lastCpuChangePcpu = last;
        const before = epoch;
        while (canHop()) hop();
        let leapt = before;
        while (chain.leap(pcpu, isFamiliar)) {
          leapt = Math.max(leapt, chain.epoch);
          pcpu.fileOffset = chain.offset;
          pcpu.lastCpuChangePcpu = chain.lastWindow;
        }
        expect(pcpu.fileOffset).toBe(offsets[at] ?? bytes.length);
        expect(pcpu.lastCpuChangePcpu).toBe(last);
        expect(leapt).toBe(epoch);
      }
    }),
    { numRuns: 300 },
  );
});
