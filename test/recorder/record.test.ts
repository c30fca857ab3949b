/**
 * The recorder against what xentrace.c does, on a machine that makes records by a script. Each record is 16
 * bytes, and its TSC is its time in nanoseconds, so that a window can be read off as a list of times.
 */
import { describe, expect, test } from 'vitest';
import {
  createTraceRings,
  MemorySink,
  parseRecorderOptions,
  planRecording,
  type RawRecorderOptions,
  record,
} from '../../src/recorder/index.ts';
import { every, ScriptedMachine, type ScriptedRecord, together } from './scripted-machine.ts';
import { windowsOf } from './windows.ts';

/** Records a script on two pCPUs for 1000 ns, polling every 100 ns unless told otherwise. */
function run(script: readonly ScriptedRecord[], raw: RawRecorderOptions = {}, dataBytes?: number) {
  const target = {
    host: { pcpus: 2 },
    durationNs: 1000,
    trace: { eventMask: 0x2f000, flushNs: 100, endNs: 1000 },
  };
  const plan = { ...planRecording(parseRecorderOptions(raw), target), ...(dataBytes ? { dataBytes } : {}) };
  const rings = createTraceRings(plan);
  const machine = new ScriptedMachine(rings, script);
  const out = new MemorySink();
  const recording = record(machine, rings, plan, out);
  return { recording, machine, rings, trace: out.bytes(), windows: windowsOf(out.bytes()) };
}

function times({ windows }: { windows: ReturnType<typeof windowsOf> }): (number | string)[][] {
  return windows.map(({ pcpu, records }) => [`p${pcpu}`, ...records]);
}

describe('windows', () => {
  test('come with every sweep, pCPUs ascending, none for a pCPU without records', () => {
    const script = together(every(40, 1, 10, 150), [
      { ns: 20, pcpu: 0 },
      { ns: 930, pcpu: 0 },
    ]);
    expect(times(run(script))).toEqual([
      ['p0', 20],
      ['p1', 10, 50, 90],
      ['p1', 130],
      ['p0', 930],
    ]);
  });

  test('leave what happens at the instant of a sweep to the next one', () => {
    expect(times(run(every(50, 0, 0, 250)))).toEqual([
      ['p0', 0, 50],
      ['p0', 100, 150],
      ['p0', 200],
    ]);
  });

  test('are byte for byte a header of three words and the records', () => {
    const { trace } = run([{ ns: 7, pcpu: 1, words: [0xabcd, 3] }]);
    expect(Buffer.from(trace).toString('hex')).toBe(
      '03f00120' + '01000000' + '14000000' + '068002a0' + '07000000' + '00000000' + 'cdab0000' + '03000000',
    );
  });

  test('stay one where the records go around the end of the ring', () => {
    // 80 bytes: 5 records fit. Windows of 3 records: the second one goes around the end.
    const result = run(every(33, 0, 0, 990), {}, 80);
    expect(times(result).slice(0, 3)).toEqual([
      ['p0', 0, 33, 66, 99],
      ['p0', 132, 165, 198],
      ['p0', 231, 264, 297],
    ]);
    expect(result.windows.map(({ bytes }) => bytes)).toEqual([64, 48, 48, 48, 48, 48, 48, 48, 48, 32]);
    expect(result.recording).toMatchObject({ windows: 10, keptRecords: 30, lostRecords: 0 });
    expect(result.recording.bytes).toBe(result.trace.length);
  });
});

describe('a ring that is too small', () => {
  test('loses records and tells of it in the next window', () => {
    // 64 bytes hold four records, five come with each sweep. With its lost-records record a record takes 28 +
    // 16 bytes, and up to 12 bytes at the end of the ring may have to be wrapped over besides.
    const result = run(every(20, 0, 0, 400), {}, 64);
    const told = result.windows.flatMap(({ records }) => records);
    expect(times(result)[0]).toEqual(['p0', 0, 20, 40, 60]);
    expect(result.recording.lostRecords).toBeGreaterThan(0);
    const count = (what: string) => told.filter((entry) => `${entry}`.startsWith(what)).length;
    expect(count('lost')).toBeGreaterThan(0);
    // Every record of the script is in the trace, or in the count of a lost-records record, or untold at the
    // end.
    const toldLost = told.reduce<number>(
      (sum, entry) => sum + Number(/^lost (\d+)/.exec(`${entry}`)?.[1] ?? 0),
      0,
    );
    const kept = told.filter((entry) => typeof entry === 'number').length;
    expect(kept).toBe(result.recording.keptRecords);
    expect(toldLost + result.recording.untoldLostRecords).toBe(result.recording.lostRecords);
    expect(kept + result.recording.lostRecords).toBe(20);
  });

  test('loses the same records every time', () => {
    const first = run(every(7, 0, 0, 1000), { traceBufSize: '1' }, 160).trace;
    expect(run(every(7, 0, 0, 1000), { traceBufSize: '1' }, 160).trace).toEqual(first);
  });

  test('loses nothing to a recorder that is woken at the high-water mark', () => {
    const script = every(10, 0, 0, 1000);
    expect(run(script, {}, 80).recording.lostRecords).toBeGreaterThan(0);
    const woken = run(script, { wakeLatency: '15ns' }, 80);
    expect(woken.recording.lostRecords).toBe(0);
    // Half full (40 bytes) with the third record at 20; swept at 35, before the record at 40; then again from
    // 60 on.
    expect(times(woken).slice(0, 3)).toEqual([
      ['p0', 0, 10, 20, 30],
      ['p0', 40, 50, 60, 70],
      ['p0', 80, 90, 100, 110],
    ]);
    expect(woken.recording.wakes).toBe(25);
  });
});

describe('being woken', () => {
  test('starts the sleep anew, as poll() does', () => {
    // Half full at 5 records (72 of 144 bytes), at t = 40; swept at 41, so that the next poll is at 141.
    const script = together(every(10, 0, 0, 50), [
      { ns: 120, pcpu: 0 },
      { ns: 140, pcpu: 0 },
      { ns: 141, pcpu: 0 },
    ]);
    const result = run(script, { wakeLatency: '1ns' }, 144);
    expect(times(result)).toEqual([
      ['p0', 0, 10, 20, 30, 40],
      ['p0', 120, 140],
      ['p0', 141],
    ]);
  });

  test('takes effect though no record comes any more', () => {
    const result = run(
      [...every(1, 0, 0, 5), { ns: 45, pcpu: 1 }, { ns: 110, pcpu: 1 }, { ns: 145, pcpu: 1 }],
      {
        wakeLatency: '50ns',
      },
      144,
    );
    // Notified at 4, swept at 54, next poll at 154.
    expect(times(result)).toEqual([
      ['p0', 0, 1, 2, 3, 4],
      ['p1', 45],
      ['p1', 110, 145],
    ]);
  });
});

describe('-T', () => {
  test('stops the recording, and tracing with it, but not the machine', () => {
    const { rings, machine, ...result } = run(every(30, 0, 0, 1000), { timeInterval: '170ns' });
    expect(times(result)).toEqual([
      ['p0', 0, 30, 60, 90],
      ['p0', 120, 150],
    ]);
    expect(machine.nowNs).toBe(170);
    expect(rings.enabled).toBe(false);
    machine.runUntil(1000);
    expect(rings.keptRecords).toBe(6);
  });

  test('leaves tracing on with -x: the rings fill up and lose', () => {
    const { rings, machine } = run(
      every(30, 0, 0, 1000),
      { timeInterval: '170ns', dontDisableTracing: true },
      80,
    );
    machine.runUntil(1000);
    expect(rings.ring(0).unconsumedBytes).toBe(80);
    expect(rings.lostRecords).toBe(34 - 6 - 5);
  });
});

describe('a recorder that starts later', () => {
  const script = every(30, 0, 0, 400);

  test('finds what the rings hold', () => {
    expect(times(run(script, { startAt: '100ns' }))).toEqual([
      ['p0', 0, 30, 60, 90],
      ['p0', 120, 150, 180],
      ['p0', 210, 240, 270],
      ['p0', 300, 330, 360, 390],
    ]);
  });

  test('tells of a ring that was full before, as after booting with tbuf_size=', () => {
    const result = run(script, { startAt: '250ns', timeInterval: '100ns' }, 80);
    // 0 to 120 fill the ring, 150 to 240 are lost; 240 + 30 = 270 is the first record after the recorder
    // came.
    expect(times(result)).toEqual([
      ['p0', 0, 30, 60, 90, 120],
      ['p0', 'lost 4', 270, 300, 330],
    ]);
  });

  test('discards what the rings hold with -D, but not the count of what was lost', () => {
    const result = run(script, { startAt: '250ns', timeInterval: '100ns', discardBuffers: true }, 80);
    expect(times(result)).toEqual([['p0', 'lost 4', 270, 300, 330]]);
  });
});

describe('-X', () => {
  const script = every(30, 0, 0, 400);

  test('records nothing by itself', () => {
    expect(run(script, { startDisabled: true }).trace.length).toBe(0);
  });

  test('records from the moment on that something enables tracing', () => {
    expect(times(run(script, { startDisabled: true, enableAt: '150ns' }))).toEqual([
      ['p0', 150, 180],
      ['p0', 210, 240, 270],
      ['p0', 300, 330, 360, 390],
    ]);
    expect(times(run(script, { startDisabled: true, enableAt: '0' }))[0]).toEqual(['p0', 0, 30, 60, 90]);
  });

  test('leaves a gap behind what was traced before the recorder came', () => {
    const result = run(script, { startAt: '50ns', startDisabled: true, enableAt: '200ns' });
    expect(times(result)[0]).toEqual(['p0', 0, 30]);
    expect(times(result)[1]).toEqual(['p0', 210, 240]);
  });
});

describe('-t', () => {
  test('leaves a ring alone until it holds so many new records, and takes all of them at the end', () => {
    const script = together(every(60, 0, 0, 550), every(25, 1, 0, 100), [{ ns: 990, pcpu: 1 }]);
    expect(times(run(script, { logThresh: '4' }))).toEqual([
      ['p1', 0, 25, 50, 75],
      ['p0', 0, 60, 120, 180],
      ['p0', 240, 300, 360, 420, 480],
      ['p0', 540],
      ['p1', 990],
    ]);
  });
});

test('-e and -c keep records out of the rings', () => {
  const script = together(
    [{ ns: 10, pcpu: 0, event: 0x21021 }],
    [{ ns: 20, pcpu: 0, event: 0x22005 }],
    [{ ns: 30, pcpu: 1, event: 0x21021 }],
  );
  expect(times(run(script, { evtMask: '0x21000' }))).toEqual([
    ['p0', 10],
    ['p1', 30],
  ]);
  expect(times(run(script, { cpuMask: '1-' }))).toEqual([['p1', 30]]);
  expect(times(run(script, { cpuMask: '0x1' }))).toEqual([['p0', 10, 20]]);
});

test('-M leaves the newest windows, and the count of bytes says how many', () => {
  const script = together(every(30, 0, 0, 1000), every(50, 1, 0, 1000));
  const whole = run(script);
  const { recording, trace } = run(script, { memoryBuffer: '400' });
  expect(recording).toMatchObject({ windows: 20, bytes: whole.trace.length, writtenBytes: trace.length });
  expect(trace.length).toBeLessThanOrEqual(400);
  // The end of the whole trace, from a window of pCPU 0 on.
  expect(trace).toEqual(whole.trace.subarray(-trace.length));
  expect(windowsOf(trace)[0]!.pcpu).toBe(0);
});

test('a machine with no records leaves an empty trace', () => {
  expect(run([]).recording).toMatchObject({ windows: 0, bytes: 0, keptRecords: 0, sweeps: 11 });
});
