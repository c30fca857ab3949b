/**
 * A real trace of a real Xen whose rings were one page each (xentrace -S 1), put through our ring again:
 * every record that Xen kept goes in, every loss is provoked, the consumer takes what xentrace took. What
 * comes out must be what Xen wrote, byte for byte: wrap records in the same places with the same stale words,
 * lost-records records with the same contents.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { LOST, ringDataBytes, TraceRing } from '../../src/ring/index.ts';

const DATA_BYTES = ringDataBytes(1);
const file = gunzipSync(readFileSync(new URL('./fixtures/credit2-lost-s1.trace.gz', import.meta.url)));

/** What one pCPU's ring gave to xentrace: all bytes, and where each window ended. */
interface Stream {
  readonly bytes: Buffer;
  readonly windowEnds: readonly number[];
}

function streamOf(pcpu: number): Stream {
  const parts: Buffer[] = [];
  const windowEnds: number[] = [];
  let total = 0;
  for (let at = 0; at < file.length; ) {
    const bytes = file.readUInt32LE(at + 8);
    if (file.readUInt32LE(at + 4) === pcpu) {
      parts.push(file.subarray(at + 12, at + 12 + bytes));
      total += bytes;
      windowEnds.push(total);
    }
    at += 12 + bytes;
  }
  return { bytes: Buffer.concat(parts), windowEnds };
}

interface RealRecord {
  readonly at: number;
  readonly size: number;
  readonly event: number;
  readonly cycles: boolean;
  readonly tsc: readonly [number, number];
  readonly extra: Uint32Array;
}

function recordsOf({ bytes }: Stream): RealRecord[] {
  const records: RealRecord[] = [];
  for (let at = 0; at < bytes.length; ) {
    const header = bytes.readUInt32LE(at);
    const cycles = header >>> 31 === 1;
    const words = (header >>> 28) & 7;
    const size = 4 + (cycles ? 8 : 0) + 4 * words;
    records.push({
      at,
      size,
      event: header & 0x0fffffff,
      cycles,
      tsc: cycles ? [bytes.readUInt32LE(at + 4), bytes.readUInt32LE(at + 8)] : [0, 0],
      extra: Uint32Array.from({ length: words }, (_, index) =>
        bytes.readUInt32LE(at + size - 4 * (words - index)),
      ),
    });
    at += size;
  }
  return records;
}

/** What the replay sets because it happened before the trace began, or while xentrace was writing. */
interface RingInside {
  prod: number;
  cons: number;
  lostFirstTscLow: number;
  lostFirstTscHigh: number;
  readonly bytes: Uint8Array;
}

/** Puts a stream through a ring as Xen and xentrace did, and gives back what the ring makes of it. */
function replay(stream: Stream, records: readonly RealRecord[]): Buffer {
  const ring = new TraceRing(DATA_BYTES);
  // The trace began somewhere in the ring (-D); its first wrap record tells where.
  const wrap = records.find(({ event }) => event === 0x1f002);
  const start = wrap === undefined ? 0 : (DATA_BYTES - ((wrap.at + wrap.size) % DATA_BYTES)) % DATA_BYTES;
  const inside = ring as unknown as RingInside;
  inside.prod = start;
  inside.cons = start;

  // What the ring held before the trace began shows only in the wrap records of its first round.
  for (const { at, size, event } of records) {
    if (event === 0x1f002 && at < DATA_BYTES) {
      inside.bytes.set(stream.bytes.subarray(at + 4, at + size), (start + at + 4) % DATA_BYTES);
    }
  }

  const out: Buffer[] = [];
  const windowEnds = [...stream.windowEnds];
  let taken = 0;
  const takeWindow = () => {
    const end = windowEnds.shift();
    if (end === undefined) throw new Error('a record was lost that Xen kept');
    let unread = Buffer.alloc(0);
    ring.unread((first, second) => {
      unread = Buffer.concat([first, second]);
    });
    // Only what xentrace had seen: records may have come while it was writing.
    out.push(unread.subarray(0, end - taken));
    inside.cons = (inside.cons + end - taken) % (2 * DATA_BYTES);
    taken = end;
  };

  const seven = new Uint32Array(7);
  let kept = 0;
  let current = { dom: 0, vcpu: 0 };
  for (const { event, cycles, tsc, extra } of records) {
    if (event === 0x1f002) continue;
    if (event === 0x1f001) {
      const [count, vcpu, firstLow, firstHigh] = extra;
      if (kept === 0) {
        // Lost before the recorder came, from a ring that it then emptied.
        inside.lostFirstTscLow = firstLow!;
        inside.lostFirstTscHigh = firstHigh!;
      } else {
        expect(ring.insert(0x21021, true, firstLow!, firstHigh!, seven, 7, 0, 0)).toBe(LOST);
      }
      ring.lostRecords = count!;
      current = { dom: vcpu! & 0xffff, vcpu: vcpu! >>> 16 };
      continue;
    }
    // As late as possible: xentrace has moved `cons` on by the time that Xen needed the space, and not
    // before.
    for (;;) {
      const lost = ring.lostRecords;
      if (ring.insert(event, cycles, ...tsc, extra, extra.length, current.dom, current.vcpu) !== LOST) break;
      ring.lostRecords = lost;
      takeWindow();
    }
    kept += 1;
  }
  while (windowEnds.length > 0) takeWindow();
  return Buffer.concat(out);
}

test.each([0, 1, 2, 3])('the ring of pCPU %i holds what the real one held', (pcpu) => {
  const stream = streamOf(pcpu);
  const records = recordsOf(stream);
  const wraps = records.filter(({ event }) => event === 0x1f002);
  const losses = records.filter(({ event }) => event === 0x1f001);
  expect(Math.min(wraps.length, losses.length)).toBeGreaterThan(3);

  const bytes = replay(stream, records);
  const expected = Buffer.from(stream.bytes);
  for (const { at } of losses) {
    // Xen reads the TSC once for this record and once for the next; ours bears the next one's.
    for (const side of [bytes, expected]) side.fill(0, at + 4, at + 12);
  }
  expect(bytes.length).toBe(expected.length);
  expect(bytes.compare(expected)).toBe(0);
});
