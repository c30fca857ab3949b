import { describe, expect, test } from 'vitest';
import { openTrace } from '../../src/decoder/index.ts';
import { TraceBuilder } from '../support/trace-builder.ts';

const INFPREV = 0x2800e;
const INFNEXT = 0x2800f;
const INFCONT = 0x28011;

interface Host {
  readonly hz: number;
  /** Ticks by which the TSC of a record misses its instant; called with the number of the switch. */
  readonly jitter?: (n: number) => number;
  /** Words of INFPREV and INFNEXT: `older` as before Xen 4.6, without the vCPU. */
  readonly layout?: 'older';
  readonly pcpus?: number;
  readonly runNs?: number;
}

/** Two vCPUs per pCPU that take turns, 200 times. */
function hostTrace({ hz, jitter = () => 0, layout, pcpus = 1, runNs = 3_000_000 }: Host): Uint8Array {
  const builder = new TraceBuilder();
  for (let pcpu = 0; pcpu < pcpus; pcpu++) {
    builder.window(pcpu);
    for (let n = 0; n < 200; n++) {
      const tsc = Math.floor((n * runNs * hz) / 1e9) + 1e10 + jitter(n);
      const [prev, next] = n % 2 === 0 ? [1, 2] : [2, 1];
      builder.record(INFPREV, tsc, layout ? [prev, runNs] : [prev, 0, runNs]);
      builder.record(INFNEXT, tsc + 40, layout ? [next, 0, 30_000_000] : [next, 0, 0, 30_000_000]);
    }
  }
  return builder.bytes();
}

async function clockOf(trace: Uint8Array, options = {}) {
  const reader = await openTrace(trace, options);
  reader.close();
  return reader.clock;
}

describe('the frequency of the TSC', () => {
  test.each([1e9, 2.4e9, 2_593_993_000, 3.2e9])(
    'is exact where the clock has no jitter: %d Hz',
    async (hz) => {
      for (const layout of [undefined, 'older'] as const) {
        const clock = await clockOf(hostTrace({ hz, ...(layout && { layout }) }));
        expect([clock.cpuHz, clock.source, clock.pairs]).toEqual([hz, 'derived', 199]);
      }
    },
  );

  test('is within 0.01 % with microseconds of jitter and stray outliers', async () => {
    const jitter = (n: number) => ((n * n * 31) % 5000) + (n % 50 === 7 ? 300_000 : 0);
    const clock = await clockOf(hostTrace({ hz: 2_500_000_000, jitter, pcpus: 3, runNs: 31_000_000 }));
    expect(Math.abs((clock.cpuHz as number) / 2.5e9 - 1)).toBeLessThan(1e-4);
    expect(clock.spreadPpm).toBeGreaterThan(0);
  });

  test('survives runs longer than the 32 bits that Xen keeps of them', async () => {
    const builder = new TraceBuilder().window(0);
    const tick = 2.4;
    let ns = 1e9;
    for (const [n, runNs] of [1e9, 3e6, 7e9, 3e6, 9e9, 5e6, 5e6, 13e9, 5e6, 5e6].entries()) {
      ns += runNs;
      builder.record(INFPREV, Math.floor(ns * tick), [n % 2, 0, runNs % 2 ** 32]);
      builder.record(INFNEXT, Math.floor(ns * tick) + 9, [(n + 1) % 2, 0, 0, 0]);
    }
    expect((await clockOf(builder.bytes())).cpuHz).toBe(2.4e9);
  });

  test('is found in a run that only goes on (INFCONT)', async () => {
    const builder = new TraceBuilder().window(0);
    for (let n = 1; n < 50; n++)
      builder.record(INFCONT, 5e9 + n * 2e6 * 3, [4, 1, n * 2_000_000, 30_000_000]);
    const clock = await clockOf(builder.bytes());
    expect([clock.cpuHz, clock.pairs]).toEqual([3e9, 48]);
  });

  test('is not guessed from too little', async () => {
    const trace = new TraceBuilder()
      .window(0)
      .record(INFNEXT, 1000, [1, 0, 0, 0])
      .record(INFPREV, 5000, [1, 0, 2000])
      .bytes();
    expect(await clockOf(trace)).toMatchObject({ cpuHz: undefined, source: 'unknown' });
  });

  test('is the one given, if one is given', async () => {
    const clock = await clockOf(hostTrace({ hz: 1e9 }), { cpuHz: 2e9 });
    expect([clock.cpuHz, clock.source]).toEqual([2e9, 'given']);
  });

  test('is the same for a TSC beyond 2^53', async () => {
    const builder = new TraceBuilder().window(0);
    for (let n = 0; n < 50; n++) {
      const tsc = 2n ** 60n + 1n + BigInt(n) * 20_000_000n;
      builder.record(INFPREV, tsc, [n % 2, 0, 10_000_000]).record(INFNEXT, tsc, [(n + 1) % 2, 0, 0, 0]);
    }
    expect(await clockOf(builder.bytes())).toMatchObject({ cpuHz: 2e9, tscStart: 2n ** 60n + 1n });
  });
});
