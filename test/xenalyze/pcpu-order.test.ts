import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PcpuOrder } from '../../src/xenalyze/pcpu-order.ts';
import { Pcpu } from '../../src/xenalyze/state.ts';
import { WalkMemory } from '../../src/xenalyze/walk-memory.ts';

/** As xenalyze does it: a list, in which a pCPU moves back step by step. */
class List {
  readonly pcpus: Pcpu[] = [];

  insert(pcpu: Pcpu): void {
    const at = this.pcpus.findIndex(({ orderTsc }) => orderTsc >= pcpu.orderTsc);
    this.pcpus.splice(at < 0 ? this.pcpus.length : at, 0, pcpu);
  }

  place(pcpu: Pcpu): void {
    let at = this.pcpus.indexOf(pcpu);
    for (; at + 1 < this.pcpus.length && this.pcpus[at + 1].orderTsc < pcpu.orderTsc; at++)
      [this.pcpus[at], this.pcpus[at + 1]] = [this.pcpus[at + 1], this.pcpus[at]];
  }
}

/** What happens in a turn: how far the pCPU goes, in a damaged trace back as well, pCPUs that are found, and whether it ends, or the file does. */
const turn = fc.record({
  /** What it goes on before other pCPUs are found. */
  advance: fc.oneof(fc.constant(0), fc.integer({ min: -9, max: 9 })),
  step: fc.oneof(
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 0, max: 1000 }),
    fc.integer({ min: -9, max: 0 }),
  ),
  found: fc.constantFrom(0, 0, 0, 0, 0, 1, 3),
  ends: fc.nat(20).map((n) => n === 0),
  fileEnds: fc.nat(300).map((n) => n === 0),
});

test('pCPUs take their turns in the order of a sorted list, the last one placed first', () => {
  fc.assert(
    fc.property(fc.nat(300), fc.array(turn, { maxLength: 300 }), (first, turns) => {
      const list = new List();
      const memory = new WalkMemory(0n);
      const order = new PcpuOrder(memory);
      let made = 0;
      const find = (count: number, around: number) => {
        for (let i = 0; i < count; i++) {
          const pcpu = new Pcpu(made++, 0, memory);
          pcpu.orderTsc = around + ((made * 7) % 5) - 2;
          list.insert(pcpu);
          order.insert(pcpu);
        }
      };
      find(first + 1, 0);
      for (const { advance, step, found, ends, fileEnds } of turns) {
        const pcpu = order.nextTurn(1);
        expect(pcpu?.number).toBe(list.pcpus[0]?.number);
        if (pcpu === undefined) return;
        expect(memory.run.turnEnd).toBe(list.pcpus[1]?.orderTsc ?? Number.POSITIVE_INFINITY);
        pcpu.orderTsc = Math.min(pcpu.orderTsc + advance, memory.run.turnEnd);
        find(found, pcpu.orderTsc);
        if (fileEnds) order.becomeList();
        if (ends) {
          list.pcpus.splice(list.pcpus.indexOf(pcpu), 1);
          expect(order.remove(pcpu)).toBe(true);
          continue;
        }
        pcpu.orderTsc += step;
        list.place(pcpu);
        order.place(pcpu);
      }
    }),
  );
});
