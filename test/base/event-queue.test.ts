import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventQueue } from '../../src/base/event-queue.ts';

interface Entry {
  slot: number;
  time: number;
  rank: number;
  tie: number;
  sequence: number;
}

const inOrder = (a: Entry, b: Entry) =>
  a.time - b.time || a.rank - b.rank || a.tie - b.tie || a.sequence - b.sequence;

describe('EventQueue', () => {
  test('is empty at first', () => {
    const queue = new EventQueue(3);
    expect([queue.size, queue.nextTime, queue.nextSlot]).toEqual([0, Infinity, -1]);
  });

  test('setting a slot again re-arms it behind its equals', () => {
    const queue = new EventQueue(2);
    queue.set(0, 5, 0);
    queue.set(1, 5, 0);
    queue.set(0, 5, 0);
    expect(queue.nextSlot).toBe(1);
  });

  test('gives out slots as they are needed', () => {
    const queue = new EventQueue();
    const slots = Array.from({ length: 40 }, () => queue.addSlot());
    for (const slot of slots) queue.set(slot, 100 - slot, 0);
    expect(slots).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect([queue.nextSlot, queue.timeOf(39), queue.size]).toEqual([39, 61, 40]);
  });

  test('behaves as a sorted array does, under any operations', () => {
    const operation = fc.oneof(
      fc.record({
        kind: fc.constant('set' as const),
        slot: fc.nat(19),
        time: fc.nat(6),
        rank: fc.nat(2),
        tie: fc.nat(2),
      }),
      fc.record({ kind: fc.constant('clear' as const), slot: fc.nat(19) }),
      fc.record({ kind: fc.constant('pop' as const) }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const queue = new EventQueue(20);
        let model: Entry[] = [];
        let sequence = 0;
        for (const op of operations) {
          if (op.kind === 'set') {
            const { slot, time, rank, tie } = op;
            queue.set(slot, time, rank, tie);
            model = model.filter((entry) => entry.slot !== slot);
            model.push({ slot, time, rank, tie, sequence });
            sequence += 1;
          } else {
            const slot = op.kind === 'clear' ? op.slot : queue.nextSlot;
            if (slot >= 0) queue.clear(slot);
            model = model.filter((entry) => entry.slot !== slot);
          }
          model.sort(inOrder);
          expect(queue.size).toBe(model.length);
          expect(queue.nextSlot).toBe(model[0]?.slot ?? -1);
          expect(queue.nextTime).toBe(model[0]?.time ?? Infinity);
          const ofRank = model.find((entry) => entry.rank === 1 && entry.time <= 3);
          expect(queue.nextSlotOfRank(1, 3)).toBe(ofRank?.slot ?? -1);
        }
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});
