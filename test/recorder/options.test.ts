import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { parseRecorderOptions, planRecording, recorderOptionSpecs } from '../../src/recorder/index.ts';

const target = {
  host: { pcpus: 4 },
  durationNs: 5e9,
  trace: { eventMask: 0x2f000, flushNs: 100e6, endNs: 5e9 },
};

test('without options a recording is what the scenario says, in rings that hold it', () => {
  const plan = planRecording(parseRecorderOptions(), target);
  expect(plan).toMatchObject({
    eventMask: 0x2f000,
    selectedPcpus: [true, true, true, true],
    dataBytes: 256 * 4096 - 8,
    pollNs: 100e6,
    startNs: 0,
    stopNs: 5e9,
    memoryBufferBytes: 0,
    notes: [],
  });
});

describe('each option means what it means to xentrace', () => {
  test.each([
    [{ evtMask: ['sched', 'hvm'] }, { eventMask: 0xaf000 }],
    [{ evtMask: 'sched' }, { eventMask: 0x2f000 }],
    [{ cpuMask: '1-2' }, { selectedPcpus: [false, true, true, false] }],
    [{ traceBufSize: '1' }, { dataBytes: 4088 }],
    [{ traceBufSize: '0' }, { dataBytes: 256 * 4096 - 8 }], // 0 is the default, there as here
    [{ traceBufSize: '0x20' }, { dataBytes: 131_064 }],
    [{ pollSleep: '10' }, { pollNs: 10e6 }], // milliseconds
    [{ pollSleep: '250us' }, { pollNs: 250e3 }],
    [{ logThresh: '50' }, { logThreshold: 50 }],
    [{ timeInterval: '2' }, { stopNs: 2e9 }], // seconds
    [{ timeInterval: '0x2' }, { stopNs: 2e9 }],
    [{ timeInterval: '0.15' }, { stopNs: 150e6 }],
    [{ timeInterval: '150ms' }, { stopNs: 150e6 }],
    [{ timeInterval: '100' }, { stopNs: 5e9 }], // the run is over before
    [{ timeInterval: '0' }, { stopNs: 5e9 }],
    [{ memoryBuffer: '64k' }, { memoryBufferBytes: 65_536 }],
    [{ memoryBuffer: '64K' }, { memoryBufferBytes: 65_536 }],
    [{ memoryBuffer: '3M' }, { memoryBufferBytes: 3 * 2 ** 20 }],
    [{ memoryBuffer: '1g' }, { memoryBufferBytes: 2 ** 30 }],
    [{ memoryBuffer: '5000' }, { memoryBufferBytes: 5000 }],
    [{ discardBuffers: true }, { discardBuffers: true }],
    [{ dontDisableTracing: true }, { dontDisableTracing: true }],
    [{ startDisabled: true }, { startsDisabled: true }],
    [{ reserveDiskSpace: '100' }, { reserveDiskMegabytes: 100 }],
    [
      { startAt: '1s', timeInterval: '1' },
      { startNs: 1e9, stopNs: 2e9 },
    ],
    [
      { startDisabled: true, enableAt: '1s' },
      { startsDisabled: true, enableAtNs: 1e9 },
    ],
    [{ wakeLatency: '30us' }, { wakeLatencyNs: 30_000 }],
    [{ wakeLatency: 'never' }, { wakeLatencyNs: undefined }],
  ])('%j', (raw, expected) => {
    expect(planRecording(parseRecorderOptions(raw), target)).toMatchObject(expected);
  });
});

test.each([
  { traceBufSize: '-1' },
  { traceBufSize: '32 pages' },
  { pollSleep: '0' },
  { pollSleep: '10 parsecs' },
  { pollSleep: '-1' },
  { logThresh: 'many' },
  { timeInterval: 'soon' },
  { timeInterval: '1.0000000001' }, // a tenth of a nanosecond
  { timeInterval: '99999999999' }, // beyond 2^53 ns
  { memoryBuffer: '64kB' },
  { memoryBuffer: 'k' },
  { memoryBuffer: '-1' },
  { reserveDiskSpace: '1.5' },
  { startAt: '-1s' },
  { startAt: '5s' }, // not before the end
  { enableAt: '1s' }, // tracing is on anyway
  { startDisabled: true, startAt: '2s', enableAt: '1s' },
  { pollSleep: 10 as never }, // of which unit?
  { traceBufSize: true },
  { evtMask: 0x2f000 as never },
])('%j is refused in one sentence', (raw) => {
  const attempt = () => planRecording(parseRecorderOptions(raw), target);
  expect(attempt).toThrow(UserError);
  expect(attempt).toThrow(/^--|^there/);
});

test('Xen grants only so many pages, and the plan says so', () => {
  const plan = planRecording(parseRecorderOptions({ traceBufSize: '100000' }), target);
  expect(plan.dataBytes).toBe(21_802 * 4096 - 8);
  expect(plan.notes).toEqual([expect.stringContaining('reduced to 21802')]);
});

test('every option of xentrace is in the table, with its letter, and every entry says what it does', () => {
  const letters = recorderOptionSpecs.filter(({ xentrace }) => xentrace).map(({ short }) => short);
  // getopt string of xentrace.c: "t:s:c:e:S:r:T:M:DxX?V"; ? and V are the command line's own.
  expect(letters.toSorted()).toEqual([...'DMSTXcerstx']);
  const withArgument = recorderOptionSpecs.filter((spec) => spec.xentrace && spec.argument !== undefined);
  expect(withArgument.map(({ short }) => short).toSorted()).toEqual([...'MSTcerst']);
  for (const { key, long, doc } of recorderOptionSpecs) {
    expect(key).toBe(long.replace(/-(.)/g, (_, letter) => letter.toUpperCase()));
    expect(doc.length).toBeGreaterThan(10);
  }
});
