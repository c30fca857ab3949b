/**
 * The real xenalyze reads what the rings make of a small, causal host: vCPUs that wake, run, are preempted
 * and block on a few pCPUs, as runstate changes. Rings of a few hundred bytes lose most of it and wrap all
 * the time; whatever is left must be without a remark.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemorySink, WindowWriter } from '../../src/recorder/index.ts';
import { TraceRings } from '../../src/ring/index.ts';
import { TraceBuilder, vcpuWord } from '../support/trace-builder.ts';
import { whyNoXenalyze, xenalyzeRemarks } from './xenalyze.ts';

if (whyNoXenalyze) console.warn(whyNoXenalyze);

const IDLE = 32767;
const [RUNNING, RUNNABLE, BLOCKED] = [0, 1, 2];

interface ToyVcpu {
  readonly dom: number;
  readonly vcpu: number;
  state: number;
  pcpu: number;
}

/** A host of which each step is one decision; `choices` says which, and when the rings are emptied. */
function trace(
  pcpus: number,
  dataBytes: number,
  choices: readonly number[],
): { bytes: Uint8Array; lost: number } {
  const rings = new TraceRings({ pcpus, dataBytes });
  const out = new MemorySink();
  const writer = new WindowWriter(out);
  const idle = Array.from(
    { length: pcpus },
    (_, pcpu): ToyVcpu => ({ dom: IDLE, vcpu: pcpu, state: RUNNING, pcpu }),
  );
  const current = [...idle];
  const guests = Array.from(
    { length: pcpus + 2 },
    (_, vcpu): ToyVcpu => ({ dom: 1, vcpu, state: BLOCKED, pcpu: 0 }),
  );
  const words = new Uint32Array(7);
  let tsc = 1_000_000_000;
  const emit = (pcpu: number, event: number, count: number) => {
    tsc += 1;
    rings.emit(pcpu, event, tsc, 0, words, count, current[pcpu]!.dom, current[pcpu]!.vcpu);
  };
  const change = (pcpu: number, who: ToyVcpu, state: number) => {
    words[0] = vcpuWord(who.dom, who.vcpu);
    emit(pcpu, 0x21001 | (who.state << 8) | (state << 4), 1);
    who.state = state;
  };
  const drain = () => {
    for (let pcpu = 0; pcpu < pcpus; pcpu += 1) {
      rings.ring(pcpu).unread((first, second) => writer.window(pcpu, first, second));
      rings.ring(pcpu).consume();
    }
  };
  for (const choice of choices) {
    tsc += 1000;
    const pcpu = choice % pcpus;
    const guest = guests[(choice >>> 4) % guests.length]!;
    if (choice % 97 === 0) drain();
    else if (choice % 11 === 0) {
      // A record of seven words: the only one that can make a wrap record need a cycle count.
      words[0] = vcpuWord(guest.dom, guest.vcpu);
      emit(pcpu, 0x24001, 7);
    } else if (guest.state === BLOCKED) change(guest.pcpu, guest, RUNNABLE);
    else {
      // A switch: what ran here goes idle or waits, and the chosen one, or nobody, takes over.
      const next = guest.state === RUNNABLE ? guest : idle[pcpu]!;
      const previous = current[pcpu]!;
      if (next === previous) continue;
      const asleep = previous.dom !== IDLE && choice % 3 === 0;
      change(pcpu, previous, asleep ? BLOCKED : RUNNABLE);
      if (next.dom === IDLE && next.state !== RUNNABLE) next.state = RUNNABLE;
      change(pcpu, next, RUNNING);
      current[pcpu] = next;
      next.pcpu = pcpu;
    }
  }
  drain();
  return { bytes: out.bytes(), lost: rings.lostRecords };
}

test.skipIf(whyNoXenalyze)('lost and wrapped records pass without a remark', () => {
  let lossy = 0;
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 12, max: 200 }),
      fc.array(fc.nat(0xffff), { minLength: 300, maxLength: 1500 }),
      (pcpus, words, choices) => {
        const { bytes, lost } = trace(pcpus, words * 4, choices);
        if (lost > 0) lossy += 1;
        expect(xenalyzeRemarks(bytes)).toEqual([]);
      },
    ),
    { numRuns: 25 },
  );
  expect(lossy).toBeGreaterThan(5);
});

test.skipIf(whyNoXenalyze)('a wrap record with a cycle count passes without a remark', () => {
  // 88 bytes: 40, then 12, and 36 are left for a wrap record in front of 40 more.
  const rings = new TraceRings({ pcpus: 1, dataBytes: 88 });
  const out = new MemorySink();
  const writer = new WindowWriter(out);
  const words = Uint32Array.of(vcpuWord(1, 0), 0, 0, 0, 0, 0, 0);
  for (const [index, count] of [7, 0, 7, 1].entries()) {
    const event = count === 7 ? 0x24001 : count === 1 ? 0x21211 : 0x22002;
    rings.emit(0, event, 1_000_000_000 + index * 1000, 0, words, count, IDLE, 0);
    rings.ring(0).unread((first, second) => writer.window(0, first, second));
    rings.ring(0).consume();
  }
  const view = new DataView(out.bytes().buffer);
  // The third window: two of 12 + 40 and 12 + 12 bytes come before it, and its own header.
  expect(view.getUint32(52 + 24 + 12, true)).toBe(0xe001f002);
  expect(xenalyzeRemarks(out.bytes(), /runstate_change/)).toEqual([]);
});

test.skipIf(whyNoXenalyze)(
  'a lost-records record may bear the TSC of the record behind it, and no earlier one',
  () => {
    const lossy = (lostTsc: number, firstTsc: number) =>
      new TraceBuilder()
        .window(0)
        .runstate(1_000_000_000, 1, 0, 'blocked', 'runnable')
        .lost(lostTsc, { count: 2, dom: 1, vcpu: 0, firstTsc })
        .runstate(1_000_000_500, 1, 0, 'running', 'blocked')
        .bytes();
    expect(xenalyzeRemarks(lossy(1_000_000_500, 1_000_000_300), /lost_records/)).toEqual([]);
    // This is why a record with the TSC of the first lost one is lost with it.
    expect(xenalyzeRemarks(lossy(1_000_000_500, 1_000_000_500)).join()).toContain(
      'Strange, lost_record ri->tsc',
    );
  },
);
