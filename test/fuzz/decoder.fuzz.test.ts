/**
 * Thousands of mutated traces. Each must end by itself with a result, and its diagnostics must account for
 * every byte.
 *
 * XENSCOPE_FUZZ_SEED=<n> starts from another seed, XENSCOPE_FUZZ_RUNS=<n> does more; a failure prints the
 * seed to replay with XENSCOPE_FUZZ_RUNS=1.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import {
  createRecordBatch,
  type OpenTraceOptions,
  openTrace,
  type TraceReader,
} from '../../src/decoder/index.ts';
import { TraceBuilder } from '../support/trace-builder.ts';

const TRACES = join(import.meta.dirname, '../../../shared/traces');
const SAMPLE = join(import.meta.dirname, '../../samples/traces/credit-caps.trace');
const REAL = [
  'credit-dom0-idle.trace',
  'credit2-dom0-idle.trace',
  'credit2-lost-M64k.trace',
  'arinc653-dom0.trace',
];
const FIRST_SEED = Number(process.env.XENSCOPE_FUZZ_SEED ?? 20_261_121);
const RUNS = Number(process.env.XENSCOPE_FUZZ_RUNS ?? 3000);
/** Real traces are cut to their first bytes, so that thousands of runs take seconds. */
const BYTES_MAX = 12_000;

/** Whole numbers below `n`, the same for the same seed everywhere. */
type Random = (n: number) => number;

function createRandom(seed: number): Random {
  let state = (seed ^ 0x9e37_79b9) >>> 0;
  return (n) => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n;
  };
}

function generateTrace(random: Random): Uint8Array {
  const builder = new TraceBuilder();
  const tscs = [0, 0, 0, 0].map(() => 1e12 + random(1e6));
  for (let windows = 1 + random(30); windows > 0; windows--) {
    const pcpu = random(4);
    builder.window(pcpu * 3);
    for (let records = random(30); records > 0; records--) {
      tscs[pcpu] += random(100_000);
      const tsc = tscs[pcpu];
      const kind = random(10);
      if (kind === 0) builder.wrap(Array.from({ length: random(8) }, () => random(2 ** 32)));
      else if (kind === 1) builder.untimed(0x82001, [random(100)]);
      else if (kind === 2) builder.lost(tsc, { count: random(1000), firstTsc: tsc });
      else if (kind < 6) builder.runstate(tsc, random(5), random(4), 'running', 'blocked');
      else builder.record(0x2800f, tsc, [random(5), random(4), random(1e6), 30_000_000]);
    }
  }
  return builder.bytes();
}

/** Offsets of the windows of a sound trace, its end included. */
function windowsOf(trace: Uint8Array): number[] {
  const view = new DataView(trace.buffer, trace.byteOffset, trace.length);
  const offsets = [0];
  for (let at = 0; at + 12 <= trace.length; ) {
    at += 12 + view.getUint32(at + 8, true);
    offsets.push(at);
  }
  return offsets;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** A place to damage: anywhere, or, as often, in a window header. */
function pickOffset(trace: Uint8Array, random: Random): number {
  const offsets = windowsOf(trace);
  if (random(2) === 0) return random(Math.max(1, trace.length));
  return Math.min(trace.length, offsets[random(offsets.length)] + random(12));
}

type Mutation = (trace: Uint8Array, random: Random) => Uint8Array;

function spliced(trace: Uint8Array, from: number, to: number, insert = new Uint8Array(0)): Uint8Array {
  return concatenate([trace.subarray(0, from), insert, trace.subarray(to)]);
}

const mutations: Record<string, Mutation> = {
  flip(trace, random) {
    const bytes = trace.slice();
    for (let n = 1 + random(10); n > 0; n--) bytes[pickOffset(trace, random)] ^= 1 << random(8);
    return bytes.subarray(0, trace.length);
  },
  zero(trace, random) {
    const from = pickOffset(trace, random);
    return trace.slice().fill(random(3) === 0 ? 0xff : 0, from, from + 1 + random(300));
  },
  cutOut(trace, random) {
    const from = pickOffset(trace, random);
    return spliced(trace, from, from + 1 + random(300));
  },
  insert(trace, random) {
    const noise = Uint8Array.from({ length: 1 + random(200) }, () => random(256));
    const from = pickOffset(trace, random);
    return spliced(trace, from, from, noise);
  },
  truncate: (trace, random) => trace.slice(0, pickOffset(trace, random)),
  behead: (trace, random) => trace.slice(pickOffset(trace, random)),
  shuffle(trace, random) {
    const offsets = windowsOf(trace);
    const parts = offsets.slice(1).map((end, i) => trace.subarray(offsets[i], end));
    for (let i = parts.length - 1; i > 0; i--) {
      const j = random(i + 1);
      [parts[i], parts[j]] = [parts[j], parts[i]];
    }
    return concatenate(parts);
  },
  duplicate(trace, random) {
    const offsets = windowsOf(trace);
    const i = random(offsets.length - 1);
    return spliced(trace, offsets[i], offsets[i], trace.slice(offsets[i], offsets[i + 1]));
  },
  lie(trace, random) {
    const bytes = trace.slice();
    const offsets = windowsOf(trace);
    const at = offsets[random(offsets.length - 1)] + 4 * (1 + random(2));
    if (at + 4 <= bytes.length) {
      const value = [0, 1, 4, random(4096), random(2 ** 32), 0xffff_fffc][random(6)];
      new DataView(bytes.buffer).setUint32(at, value, true);
    }
    return bytes;
  },
};

interface Outcome {
  readonly records: number;
  readonly reader: TraceReader;
}

async function decodeAll(trace: Uint8Array, options: OpenTraceOptions): Promise<Outcome | UserError> {
  try {
    const reader = await openTrace(trace, options);
    const batch = createRecordBatch(256);
    let records = 0;
    let lastNs = 0;
    while (reader.readBatch(batch)) {
      records += batch.count;
      for (let i = 0; i < batch.count; i++) {
        if (options.order !== 'file' && !(batch.tNs[i] >= lastNs))
          throw new Error('time went back in the output');
        lastNs = batch.tNs[i];
      }
    }
    reader.close();
    return { records, reader };
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

/** Decodes a mutated trace both ways and checks what must hold for every input. */
async function examine(trace: Uint8Array, random: Random): Promise<void> {
  const blockWords = [undefined, 32, 100][random(3)];
  const byTime = await decodeAll(trace, { blockWords });
  const byFile = await decodeAll(trace, { order: 'file', blockWords });
  if (byTime instanceof UserError || byFile instanceof UserError) {
    expect([(byTime as UserError).code, (byFile as UserError).code]).toEqual(['not-a-trace', 'not-a-trace']);
    return;
  }
  for (const { records, reader } of [byTime, byFile]) {
    const counts = reader.counts();
    expect(counts.records).toBe(records);
    expect(counts.windows * 12).toBe(counts.headerBytes);
    const skipped = reader.diagnostics().reduce((sum, { bytes }) => sum + bytes, 0);
    expect(counts.headerBytes + counts.recordBytes + skipped).toBe(trace.length);
    expect(counts.skippedBytes).toBe(skipped);
    for (const { bytes, count, message, advice } of reader.diagnostics()) {
      expect(bytes).toBeGreaterThanOrEqual(0);
      expect(count).toBeGreaterThanOrEqual(0);
      expect(message).not.toMatch(/NaN|undefined/);
      expect(advice).not.toBe('');
    }
  }
}

function readReal(): Uint8Array[] {
  if (!existsSync(TRACES)) return [];
  return REAL.map((name) => {
    const trace = readFileSync(join(TRACES, name));
    const end = windowsOf(trace).findLast((offset) => offset <= BYTES_MAX);
    return new Uint8Array(trace.subarray(0, end));
  }).filter((trace) => trace.length > 0);
}

describe('mutated traces', () => {
  const real = readReal();

  test(`${RUNS} of them, from seed ${FIRST_SEED}: each ends with every byte accounted for`, async () => {
    const names = Object.keys(mutations);
    for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
      const random = createRandom(seed);
      let trace = real.length > 0 && random(2) === 0 ? real[random(real.length)] : generateTrace(random);
      const applied: string[] = [];
      for (let n = 1 + random(3); n > 0 && trace.length > 0; n--) {
        applied.push(names[random(names.length)]);
        trace = mutations[applied.at(-1)!](trace, random);
      }
      try {
        await examine(trace, random);
      } catch (error) {
        const replay = `seed ${seed} (${applied.join(', ')}): XENSCOPE_FUZZ_SEED=${seed} XENSCOPE_FUZZ_RUNS=1`;
        throw new Error(`${replay}: ${(error as Error).message}`, { cause: error });
      }
    }
  });

  test('stretches written over with one byte or with noise do not make the trace longer than it is', async () => {
    const sample = new Uint8Array(readFileSync(SAMPLE));
    const spanNs = async (trace: Uint8Array) => {
      const outcome = await decodeAll(trace, { cpuHz: 2.5e9 });
      return outcome instanceof UserError ? 0 : outcome.reader.counts().spanNs;
    };
    const whole = await spanNs(sample);
    for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS / 5; seed++) {
      const random = createRandom(seed);
      const trace = sample.slice();
      const from = random(trace.length);
      const end = Math.min(trace.length, from + 1 + random(random(4) === 0 ? 200 : 5000));
      if (random(3) > 0) trace.fill(random(256), from, end);
      else for (let at = from; at < end; at++) trace[at] = random(256);
      const span = await spanNs(trace);
      if (span > 100 * whole) throw new Error(`seed ${seed}: bytes ${from} to ${end}: ${span / 1e9} s`);
    }
  });

  test('gzip: whatever is done to the compressed bytes, there is a result or a clear sentence', async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS / 20; seed++) {
      const random = createRandom(seed);
      const packed = new Uint8Array(gzipSync(generateTrace(random)));
      const damaged = packed.slice(0, 2 + random(packed.length));
      for (let n = random(4); n > 0; n--) damaged[2 + random(damaged.length)] ^= 1 << random(8);
      const outcome = await decodeAll(damaged, {});
      if (outcome instanceof UserError) continue;
      const { reader } = outcome;
      const counts = reader.counts();
      expect(counts.headerBytes + counts.recordBytes + counts.skippedBytes).toBe(reader.bytes);
      if (!isSound(damaged))
        expect(reader.diagnostics().map(({ code }) => code)).toContainEqual(expect.stringMatching(/gzip/));
    }
  });
});

function isSound(packed: Uint8Array): boolean {
  try {
    gunzipSync(packed);
    return true;
  } catch {
    return false;
  }
}
