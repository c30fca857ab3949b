import { describe, expect, test } from 'vitest';
import { eventMatches, type TraceRing, TraceRings } from '../../src/ring/index.ts';

const extra = new Uint32Array(7);

function emit(rings: TraceRings, pcpu: number, event: number, tsc: number, words = 1): void {
  rings.emit(pcpu, event, tsc, 0, extra, words, 1, 0);
}

function events(ring: TraceRing): number[] {
  const found: number[] = [];
  ring.unread((first, second) => {
    const bytes = Buffer.concat([first, second]);
    for (let at = 0; at < bytes.length; ) {
      const header = bytes.readUInt32LE(at);
      found.push(header & 0x0fffffff);
      at += 4 + (header >>> 31) * 8 + ((header >>> 28) & 7) * 4;
    }
  });
  return found;
}

// Each line is one run of __trace_var()'s three conditions by hand: any common bit; a common bit from bit 16
// up; a common bit in bits 12 to 15.
test.each([
  // mask, event, let through, why
  [0x0ffff000, 0x0002800e, true, 'TRC_ALL'],
  [0x0ffff000, 0x0001f001, true, 'TRC_ALL, general'],
  [0x0002f000, 0x00021021, true, 'the scheduler class with a runstate change'],
  [0x0002f000, 0x00024001, true, 'the scheduler class with a subclass that Xen leaves free'],
  [0x0002f000, 0x00041001, false, 'another class'],
  [0x00021000, 0x00021021, true, 'the subclass of runstate changes'],
  [0x00021000, 0x00022005, false, 'the same class, another subclass'],
  [0x00021000, 0x0002f001, true, 'an event of several subclasses'],
  [0x00020000, 0x00021021, false, 'a class without a subclass'],
  [0x0000f000, 0x00021021, false, 'subclasses without a class'],
  [0x00022000, 0x00082006, false, 'a common subclass in different classes'],
  [0x0006f000, 0x00041002, true, 'two classes at once'],
  [0x0080f000, 0x00801002, true, 'hardware'],
  [0x0ffff000, 0x0800f001, true, 'a record of a guest, the highest class'],
  [0x00000fff, 0x00028006, false, 'the bits of the event number alone'],
  [0x80008000, 0x00028006, false, 'a bit of no class'],
  [0xffffffff, 0x00028006, true, 'all bits'],
  [0, 0x00028006, false, 'nothing'],
])('mask %i with event %i: %s (%s)', (mask, event, expected) => {
  expect(eventMatches(mask, event)).toBe(expected);
  const rings = new TraceRings({ pcpus: 1, dataBytes: 400, eventMask: mask });
  expect(rings.wants(0, event)).toBe(expected);
  emit(rings, 0, event, 1);
  expect(events(rings.ring(0))).toEqual(expected ? [event] : []);
});

test('the cpu mask leaves out pCPUs', () => {
  const rings = new TraceRings({ pcpus: 3, dataBytes: 400, tracesPcpu: (pcpu) => pcpu === 1 });
  expect([0, 1, 2].map((pcpu) => rings.wants(pcpu, 0x28006))).toEqual([false, true, false]);
  for (const pcpu of [0, 1, 2]) emit(rings, pcpu, 0x28006, 1);
  expect([0, 1, 2].map((pcpu) => events(rings.ring(pcpu)).length)).toEqual([0, 1, 0]);
  expect(rings.keptRecords).toBe(1);
});

describe('switching tracing off', () => {
  test('keeps what the rings hold and forgets what was lost', () => {
    const rings = new TraceRings({ pcpus: 1, dataBytes: 48 });
    for (const tsc of [1, 2, 3, 4, 5]) emit(rings, 0, 0x28006, tsc);
    expect([rings.keptRecords, rings.lostRecords, rings.untoldLostRecords]).toEqual([3, 2, 2]);
    rings.disable();
    expect(rings.wants(0, 0x28006)).toBe(false);
    emit(rings, 0, 0x28006, 6);
    expect(events(rings.ring(0))).toEqual([0x28006, 0x28006, 0x28006]);
    rings.ring(0).consume();
    rings.enable();
    emit(rings, 0, 0x28006, 7);
    // No lost-records record in front of it.
    expect(events(rings.ring(0))).toEqual([0x28006]);
    expect([rings.keptRecords, rings.lostRecords, rings.untoldLostRecords]).toEqual([4, 2, 2]);
  });

  test('a loss that the trace tells of is not untold', () => {
    const rings = new TraceRings({ pcpus: 1, dataBytes: 48 });
    for (const tsc of [1, 2, 3, 4, 5]) emit(rings, 0, 0x28006, tsc);
    rings.ring(0).consume();
    emit(rings, 0, 0x28006, 6);
    expect(events(rings.ring(0))).toEqual([0x1f001, 0x28006]);
    expect([rings.lostRecords, rings.untoldLostRecords]).toEqual([2, 0]);
  });
});

test('the consumer is notified when a ring gets half full, once, and again after it was below', () => {
  const rings = new TraceRings({ pcpus: 2, dataBytes: 64 });
  const notified: number[] = [];
  let tsc = 0;
  rings.onHighWater = () => notified.push(tsc);
  for (tsc = 1; tsc <= 6; tsc += 1) emit(rings, 0, 0x28006, tsc); // 16 bytes each: half full at 2, two lost
  rings.ring(0).consume();
  // The lost-records record and the record are 44 bytes: half full at once.
  for (tsc = 11; tsc <= 12; tsc += 1) emit(rings, 0, 0x28006, tsc);
  expect(notified).toEqual([2, 11]);
  expect(rings.notifications).toBe(2);
});
