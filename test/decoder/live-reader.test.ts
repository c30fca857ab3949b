/**
 * Reading a trace while it comes in. Truth is what openTrace makes of the whole: the same records in the same order with
 * the same times, however the stream is cut. Delay and bounds are checked on hand-made sweeps.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRecordBatch, LiveReader, type LiveReaderOptions, openTrace } from '../../src/decoder/index.ts';
import { TraceBuilder } from '../support/trace-builder.ts';
import { readAll } from './read-all.ts';

const SAMPLE = join(import.meta.dirname, '../../samples/traces/credit-caps.trace');
const TRACES = join(import.meta.dirname, '../../../shared/traces');
const realTraces = existsSync(TRACES)
  ? readdirSync(TRACES).filter((name) => /\.trace(\.gz)?$/.test(name))
  : [];

function readTrace(path: string): Uint8Array {
  const bytes = readFileSync(path);
  return path.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

interface Reader {
  readBatch(batch: ReturnType<typeof createRecordBatch>): boolean;
}

/** Everything about each record as a line. */
function drain(reader: Reader, lines: string[], batch = createRecordBatch(1000)): void {
  while (reader.readBatch(batch)) {
    for (let row = 0; row < batch.count; row++) {
      const words = batch.words.subarray(batch.wordsOffset[row], batch.wordsOffset[row + 1]);
      const tsc = batch.hasTsc[row] ? `${batch.tscHigh[row]}:${batch.tscLow[row]}` : '-';
      lines.push(`${batch.tNs[row]} p${batch.pcpu[row]} ${batch.event[row]} ${tsc} ${words.join()}`);
    }
  }
}

/** Feeds `trace` in pieces of these sizes, over and over, reading whatever there is after each. */
function readLive(trace: Uint8Array, sizes: readonly number[], options: LiveReaderOptions = {}) {
  const live = new LiveReader(options);
  const lines: string[] = [];
  const batch = createRecordBatch(1000);
  let heldMax = 0;
  for (let at = 0, piece = 0; at < trace.length; piece++) {
    const size = sizes[piece % sizes.length]!;
    live.push(trace.subarray(at, at + size));
    at += size;
    drain(live, lines, batch);
    heldMax = Math.max(heldMax, live.heldBytes);
  }
  const beforeEnd = lines.length;
  live.end();
  drain(live, lines, batch);
  return { live, lines, beforeEnd, heldMax };
}

async function readWhole(trace: Uint8Array, cpuHz?: number) {
  const reader = await openTrace(trace, { cpuHz });
  const lines: string[] = [];
  drain(reader, lines);
  const codes = reader.diagnostics().map(({ code, pcpu, count }) => [code, pcpu, count]);
  reader.close();
  return { lines, codes };
}

async function clockOf(trace: Uint8Array) {
  const reader = await openTrace(trace);
  reader.close();
  return reader;
}

async function expectSame(trace: Uint8Array, sizes: readonly number[]) {
  const { clock } = await clockOf(trace);
  const whole = await readWhole(trace, clock.cpuHz);
  const { live, lines, beforeEnd } = readLive(trace, sizes, { cpuHz: clock.cpuHz });
  expect(lines).toEqual(whole.lines);
  expect(live.diagnostics().map(({ code, pcpu, count }) => [code, pcpu, count])).toEqual(whole.codes);
  expect(live.counts()).toMatchObject({ records: whole.lines.length, lateRecords: 0, bytes: trace.length });
  return { beforeEnd, records: lines.length, cpuHz: clock.cpuHz };
}

describe('LiveReader on real traces', () => {
  test.each([[[1 << 20]], [[4096]], [[1, 70_000, 3, 17]]])(
    'in pieces of %j bytes: the same',
    async (sizes) => {
      const { beforeEnd, records } = await expectSame(readTrace(SAMPLE), sizes);
      if (sizes[0] === 4096) expect(beforeEnd).toBeGreaterThan(0.9 * records);
    },
  );

  test.skipIf(realTraces.length === 0).each(realTraces)('%s: the same, nothing is late', async (name) => {
    await expectSame(readTrace(join(TRACES, name)), [50_000, 1, 4096, 200_000]);
  });

  test('derives the frequency from its first seconds', async () => {
    const trace = readTrace(SAMPLE);
    const { clock } = await clockOf(trace);
    const { live } = readLive(trace, [4096]);
    expect(live.clock).toMatchObject({ source: 'derived', tscStart: clock.tscStart });
    expect(Math.abs(live.clock!.cpuHz! / clock.cpuHz! - 1)).toBeLessThan(0.003);
  });
});

/** A host: when records are made and on which pCPU, and when the recorder looks at each ring. */
const host = fc.record({
  pcpus: fc.integer({ min: 1, max: 5 }),
  records: fc.array(
    fc.record({ pcpu: fc.nat({ max: 4 }), step: fc.integer({ min: 1, max: 50 }), untimed: fc.boolean() }),
    { minLength: 1, maxLength: 120 },
  ),
  looks: fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 40 }),
  sizes: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 }),
});

/** What xentrace writes of it: sweep by sweep, ring by ring, whatever is there at that instant. */
function sweepsOf({
  pcpus,
  records,
  looks,
}: Omit<typeof host extends fc.Arbitrary<infer T> ? T : never, 'sizes'>) {
  const trace = new TraceBuilder();
  const rings: { tsc: number; untimed: boolean }[][] = Array.from({ length: pcpus }, () => []);
  let tsc = 1000;
  for (const { pcpu, step, untimed } of records) {
    tsc += step;
    rings[pcpu % pcpus]!.push({ tsc, untimed });
  }
  let now = 1000;
  const take = (pcpu: number) => {
    const ring = rings[pcpu]!;
    if (ring.length === 0 || ring[0]!.tsc >= now) return;
    trace.window(pcpu);
    // One without a time has the place of the record before it, which may be past when it comes first in a window.
    ring[0]!.untimed = false;
    while (ring.length > 0 && ring[0]!.tsc < now) {
      const record = ring.shift()!;
      if (record.untimed) trace.untimed(0x82001, [record.tsc]);
      else trace.record(0x21021, record.tsc, [0x10000 + pcpu]);
    }
  };
  for (const [look, step] of looks.entries()) {
    now += step;
    take(look % pcpus);
  }
  for (let pcpu = looks.length % pcpus; pcpu < pcpus; pcpu++) take(pcpu);
  now = Number.POSITIVE_INFINITY;
  for (let pcpu = 0; pcpu < pcpus; pcpu++) take(pcpu);
  return trace.bytes();
}

describe('LiveReader on sweeps', () => {
  test('any host, any sweeps, any pieces: the records of the whole, none late', async () => {
    await fc.assert(
      fc.asyncProperty(host, async ({ sizes, ...rest }) => {
        const trace = sweepsOf(rest);
        if (trace.length === 0) return;
        const { live, lines } = readLive(trace, sizes, { cpuHz: 1e9 });
        expect(lines).toEqual((await readWhole(trace, 1e9)).lines);
        expect(live.counts().lateRecords).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  const event = 0x21021;
  const sweep = (trace: TraceBuilder, number: number, pcpus: readonly number[]) => {
    for (const pcpu of pcpus) {
      const tsc = 1000 * number + 100 * pcpu;
      trace
        .window(pcpu)
        .record(event, tsc, [pcpu])
        .record(event, tsc + 90, [pcpu]);
    }
    return trace;
  };
  const timesOf = (lines: readonly string[]) => lines.map((line) => Number(line.split(' ')[0]));

  test('comes out a sweep later, and a silent pCPU holds up nothing', () => {
    const live = new LiveReader({ cpuHz: 1e9 });
    const lines: string[] = [];
    const trace = new TraceBuilder();
    let sent = 0;
    const send = (number: number, pcpus: readonly number[]) => {
      const bytes = sweep(trace, number, pcpus).bytes();
      live.push(bytes.subarray(sent));
      sent = bytes.length;
      drain(live, lines);
      return Math.max(0, ...timesOf(lines)) + 1000;
    };
    expect(send(1, [0, 1, 2])).toBe(1000);
    // pCPU 0 has been looked at again: what was there before it was looked at first is complete. Its last TSC alone
    // is not trusted, so that it is 1000 and not 1090.
    expect(send(2, [0])).toBe(1000);
    expect(send(2, [1])).toBe(1090);
    expect(send(2, [2])).toBeGreaterThanOrEqual(1190);
    expect(send(3, [0])).toBeGreaterThanOrEqual(1290);
    for (let number = 4; number < 9; number++) {
      const latest = send(number, [0]);
      expect(latest).toBeGreaterThanOrEqual(1000 * (number - 2));
      expect(latest).toBeLessThan(1000 * number);
    }
    expect(live.counts().lateRecords).toBe(0);
  });

  test('release() does not wait; what comes late is counted, and time never goes back', () => {
    const live = new LiveReader({ cpuHz: 1e9 });
    const lines: string[] = [];
    const trace = sweep(new TraceBuilder(), 1, [1]);
    live.push(trace.bytes());
    drain(live, lines);
    expect(lines).toHaveLength(0);
    live.release();
    drain(live, lines);
    expect(lines).toHaveLength(1);
    const sent = trace.length;
    live.push(sweep(trace, 1, [0]).bytes().subarray(sent));
    live.end();
    drain(live, lines);
    expect(timesOf(lines)).toEqual([0, 0, 0, 90]);
    expect(live.counts().lateRecords).toBe(2);
    expect(live.diagnostics().map(({ code, pcpu, count }) => [code, pcpu, count])).toEqual([
      ['late_records', 0, 2],
    ]);
  });

  test('holds back no more than it may, whatever the order', () => {
    const trace = new TraceBuilder();
    for (let pcpu = 0; pcpu < 200; pcpu++) {
      trace.window(pcpu);
      for (let at = 0; at < 20; at++) trace.record(event, 1000 + 20 * pcpu + at, [pcpu]);
    }
    const bytes = trace.bytes();
    const { lines, heldMax } = readLive(bytes, [1000], { cpuHz: 1e9, heldBytesMax: 10_000 });
    expect(lines).toHaveLength(4000);
    expect(heldMax).toBeLessThan(12_000);
    const patient = readLive(bytes, [1000], { cpuHz: 1e9 });
    expect(patient.heldMax).toBeGreaterThan(bytes.length - 100);
    expect(patient.lines).toHaveLength(4000);
  });
});

describe('LiveReader on damage', () => {
  // A copy that slice() copies again, as it does not do with a Buffer.
  const sample = Uint8Array.from(readTrace(SAMPLE).subarray(0, 60_000));

  test('any damaged trace ends; times never fall; every byte is accounted for', async () => {
    const damage = fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(damage, fc.nat(sample.length), async (changes, cut) => {
        const bytes = sample.slice(0, sample.length - Math.floor(cut / 4));
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const { lines } = readLive(bytes, [3000, 7], { cpuHz: 2.5e9 });
        const times = lines.map((line) => Number(line.split(' ')[0]));
        expect(times.every((time, at) => at === 0 || time >= times[at - 1]!)).toBe(true);
        const whole = await readAll(bytes, { cpuHz: 2.5e9 });
        expect(Math.abs(lines.length - whole.rows.length)).toBeLessThan(0.2 * whole.rows.length + 200);
      }),
      { numRuns: 60 },
    );
  });

  test('a window whose length lies does not hold up what follows', () => {
    const trace = new TraceBuilder();
    for (let sweep = 1; sweep < 3000; sweep++) {
      const lie = sweep === 3 ? { bytes: 0x0fff_fff0 } : {};
      for (const pcpu of [0, 1]) {
        trace.window(pcpu, pcpu === 0 ? lie : {});
        for (let at = 0; at < 4; at++) trace.record(0x21021, 1000 * sweep + 10 * at + pcpu, [pcpu]);
      }
    }
    const { lines, beforeEnd, live } = readLive(trace.bytes(), [5000], { cpuHz: 1e9 });
    expect(lines).toHaveLength(2999 * 8);
    expect(beforeEnd).toBeGreaterThan(2900 * 8);
    expect(live.diagnostics().map(({ code }) => code)).toEqual(['wrong_window_length']);
  });

  const notTrace = expect.objectContaining({ name: 'UserError', code: 'not-a-trace' });

  test.each([[1], [7], [1000]])('what is no trace is refused by its first bytes, in pieces of %i', (size) => {
    const letter = new TextEncoder().encode('Dear reader, this is no trace.\n'.repeat(20));
    const live = new LiveReader();
    let came = 0;
    expect(() => {
      for (; came < letter.length; came += size) live.push(letter.subarray(came, came + size));
    }).toThrow(notTrace);
    expect(came).toBeLessThanOrEqual(64);
  });

  test.each([
    ['a word', new TextEncoder().encode('no')],
    ['zeros', new Uint8Array(50)],
    ['many bytes, some of which might be of a trace', new Uint8Array(100_000).fill(0x1f, 70)],
  ])('%s: refused when no more comes', (_, bytes) => {
    if (bytes.length > 1000) bytes.set(sample.subarray(12, 16), 12);
    const live = new LiveReader();
    live.push(bytes);
    expect(() => live.release()).toThrow(notTrace);
    expect(() => live.end()).toThrow(notTrace);
  });

  test('the beginning of a trace is none of that, however short', () => {
    for (const length of [0, 1, 2, 3, 4, 11, 12, 100]) {
      const live = new LiveReader();
      live.push(sample.subarray(0, length));
      live.release();
    }
  });

  test.each([[1], [13], [60_000]])('a first header that is gone is passed over, in pieces of %i', (size) => {
    const bytes = sample.slice();
    bytes.fill(0xff, 0, 12);
    const { lines, live } = readLive(bytes, [size], { cpuHz: 2.5e9 });
    expect(lines.length).toBeGreaterThan(1000);
    expect(live.diagnostics().map(({ code }) => code)).toContain('skipped_bytes');
  });

  test('takes no more once it was ended', () => {
    const live = new LiveReader();
    live.end();
    const error = { name: 'UserError', code: 'stream-ended' };
    expect(() => live.push(new Uint8Array(4))).toThrow(expect.objectContaining(error));
  });

  test('nothing at all is a trace without records', () => {
    const live = new LiveReader();
    live.end();
    expect(live.readBatch(createRecordBatch(10))).toBe(false);
    expect(live.diagnostics().map(({ code }) => code)).toEqual(['empty_trace']);
  });
});
