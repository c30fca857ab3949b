import { UserError } from '../base/errors.ts';
import { type CpuMask, parseCpuMask, parseEventMask } from './masks.ts';
import { parseBytes, parseCount, parseTime } from './numbers.ts';

/**
 * What the recorder was told, checked. Where xentrace has the option the meaning is xentrace's
 * (tools/xentrace/xentrace.c of 4.17 and of today agree in all of it); times are of the simulated clock. See
 * docs/recording.md.
 */
export interface RecorderOptions {
  /** -e. undefined: the scenario's own mask. */
  readonly eventMask: number | undefined;
  /** -c. */
  readonly cpuMask: CpuMask;
  /** -S: pages of 4096 bytes per pCPU; Xen may grant fewer. */
  readonly tracePages: number;
  /** -s: nanoseconds from one sweep over the rings to the next. undefined: the scenario's flush_ns. */
  readonly pollNs: number | undefined;
  /** -t: a sweep leaves a ring alone that holds fewer new records. 1 takes whatever there is. */
  readonly logThreshold: number;
  /** -T: stop recording after that long. 0: at the end of the run. */
  readonly intervalNs: number;
  /**
   * -M: bytes of the circular buffer that is written out at the end. 0: windows go to the file as they come.
   */
  readonly memoryBufferBytes: number;
  /** -D: forget what the rings hold when the recorder starts. */
  readonly discardBuffers: boolean;
  /** -x: leave tracing on at the end. */
  readonly dontDisableTracing: boolean;
  /** -X: leave tracing off at the start, until `enableAtNs`. */
  readonly startDisabled: boolean;
  /** -r: megabytes (2^20 bytes) that must stay free on the disk. 0: not checked. */
  readonly reserveDiskMegabytes: number;
  /** When the recorder starts; the rings have been filling since 0. */
  readonly startNs: number;
  /** When something else switches tracing on. undefined: nothing does. */
  readonly enableAtNs: number | undefined;
  /** From a ring's high-water mark to the sweep that it causes. undefined: none, the recorder only polls. */
  readonly wakeLatencyNs: number | undefined;
}

/** One option of the command line. Help, parser and documents read this table. */
export interface RecorderOptionSpec {
  /** The key in {@link RawRecorderOptions}: the long name in camel case, as commander makes it. */
  readonly key: string;
  readonly long: string;
  readonly short?: string;
  /** Name of its value; options without one are flags. */
  readonly argument?: string;
  /** Whether it may be given several times; its raw value is then a list. */
  readonly repeatable?: boolean;
  /** What holds without it, in words. */
  readonly default?: string;
  readonly doc: string;
  /** Whether xentrace has it too. */
  readonly xentrace: boolean;
}

/**
 * xentrace's 32 pages are meant for a consumer that Xen wakes at the high-water mark. This one polls, and a
 * machine with tens of thousands of records a second and pCPU should lose none of them for that.
 */
export const TRACE_PAGES_DEFAULT = 256;

const specs = [
  {
    key: 'evtMask',
    long: 'evt-mask',
    short: 'e',
    argument: 'mask',
    repeatable: true,
    default: "the scenario's",
    doc: 'events to trace: gen, sched, dom0op, hvm, all (repeat to combine), or a number',
    xentrace: true,
  },
  {
    key: 'cpuMask',
    long: 'cpu-mask',
    short: 'c',
    argument: 'pcpus',
    default: 'all',
    doc: 'pCPUs to trace: all, a mask 0x..., or a list such as 0-3,5,7-',
    xentrace: true,
  },
  {
    key: 'traceBufSize',
    long: 'trace-buf-size',
    short: 'S',
    argument: 'pages',
    default: `${TRACE_PAGES_DEFAULT}`,
    doc: 'size of each trace ring in pages of 4096 bytes; xentrace has 32',
    xentrace: true,
  },
  {
    key: 'pollSleep',
    long: 'poll-sleep',
    short: 's',
    argument: 'ms',
    default: "the scenario's, 100",
    doc: 'milliseconds between sweeps over the rings, or a duration such as 500us',
    xentrace: true,
  },
  {
    key: 'logThresh',
    long: 'log-thresh',
    short: 't',
    argument: 'records',
    default: '1',
    doc: 'take a ring only when it holds this many new records',
    xentrace: true,
  },
  {
    key: 'timeInterval',
    long: 'time-interval',
    short: 'T',
    argument: 's',
    default: 'the whole run',
    doc: 'record for so many seconds, or for a duration such as 250ms',
    xentrace: true,
  },
  {
    key: 'memoryBuffer',
    long: 'memory-buffer',
    short: 'M',
    argument: 'size',
    default: 'off',
    doc: 'keep only the last windows, in a circular buffer of this size (k, M, G), written out at the end',
    xentrace: true,
  },
  {
    key: 'discardBuffers',
    long: 'discard-buffers',
    short: 'D',
    doc: 'discard what the rings hold when the recorder starts',
    xentrace: true,
  },
  {
    key: 'dontDisableTracing',
    long: 'dont-disable-tracing',
    short: 'x',
    doc: 'leave tracing on when the recorder stops',
    xentrace: true,
  },
  {
    key: 'startDisabled',
    long: 'start-disabled',
    short: 'X',
    doc: 'leave tracing off until something else enables it (--enable-at)',
    xentrace: true,
  },
  {
    key: 'reserveDiskSpace',
    long: 'reserve-disk-space',
    short: 'r',
    argument: 'MB',
    default: 'not checked',
    doc: 'stop when less than so many megabytes would stay free on the disk',
    xentrace: true,
  },
  {
    key: 'startAt',
    long: 'start-at',
    argument: 'time',
    default: '0',
    doc: 'when the recorder starts; until then the rings fill, as with tbuf_size= on Xen’s command line',
    xentrace: false,
  },
  {
    key: 'enableAt',
    long: 'enable-at',
    argument: 'time',
    default: 'never',
    doc: 'when tracing is switched on after -X',
    xentrace: false,
  },
  {
    key: 'wakeLatency',
    long: 'wake-latency',
    argument: 'time',
    default: 'never',
    doc: 'also sweep so long after a ring has become half full, as VIRQ_TBUF makes xentrace do',
    xentrace: false,
  },
] as const satisfies readonly RecorderOptionSpec[];

/** Every key that {@link RawRecorderOptions} may have: `evtMask`, `cpuMask`, ... */
export type OptionKey = (typeof specs)[number]['key'];

/** Every option of the recorder, xentrace's first. */
export const recorderOptionSpecs: readonly RecorderOptionSpec[] = specs;

/** The options as a command line gives them: texts, lists of texts where repeatable, true for flags. */
export type RawRecorderOptions = {
  readonly [key in OptionKey]?: string | readonly string[] | boolean | undefined;
};

/**
 * Checks what the user gave; keys that are not in {@link recorderOptionSpecs} are ignored.
 * Throws UserError, its sentence beginning with the option.
 */
export function parseRecorderOptions(raw: RawRecorderOptions = {}): RecorderOptions {
  const given = <T>(key: OptionKey, parse: (text: string) => T): T | undefined => {
    const value = raw[key];
    return value === undefined ? undefined : parse(textOf(key, value));
  };
  const eventMasks = [raw.evtMask ?? []].flat().map((value) => textOf('evtMask', value));
  const startNs = given('startAt', (value) => parseTime('start-at', value, 'ns')) ?? 0;
  const enableAtNs = given('enableAt', (value) => parseTime('enable-at', value, 'ns'));
  const startDisabled = raw.startDisabled === true;
  if (enableAtNs !== undefined && !startDisabled) {
    throw new UserError('bad-option', '--enable-at has no use without -X, tracing is on from the start');
  }
  if (enableAtNs !== undefined && enableAtNs < startNs) {
    throw new UserError('bad-option', '--enable-at is before --start-at, when tracing is switched off');
  }
  const never = (value: string) => value === 'never';
  return {
    eventMask: parseEventMask(eventMasks),
    cpuMask: given('cpuMask', parseCpuMask) ?? { kind: 'all' },
    // 0 is xentrace's way to say "the default".
    tracePages:
      given('traceBufSize', (value) => parseCount('trace-buf-size', value, 'pages', 0xffffffff)) ||
      TRACE_PAGES_DEFAULT,
    pollNs: given('pollSleep', parsePollSleep),
    logThreshold: given('logThresh', (value) => parseCount('log-thresh', value, 'records')) ?? 1,
    intervalNs: given('timeInterval', (value) => parseTime('time-interval', value, 's')) ?? 0,
    memoryBufferBytes: given('memoryBuffer', (value) => parseBytes('memory-buffer', value)) ?? 0,
    discardBuffers: raw.discardBuffers === true,
    dontDisableTracing: raw.dontDisableTracing === true,
    startDisabled,
    reserveDiskMegabytes:
      given('reserveDiskSpace', (value) => parseCount('reserve-disk-space', value, 'megabytes')) ?? 0,
    startNs,
    enableAtNs,
    wakeLatencyNs: given('wakeLatency', (value) =>
      never(value) ? undefined : parseTime('wake-latency', value, 'ns'),
    ),
  };
}

/** A program may give a number, whose unit nobody could tell. */
function textOf(key: OptionKey, value: unknown): string {
  if (typeof value === 'string') return value;
  const { long } = specs.find((spec) => spec.key === key)!;
  throw new UserError('bad-option', `--${long} takes a text as on the command line, not ${String(value)}`);
}

function parsePollSleep(value: string): number {
  const ns = parseTime('poll-sleep', value, 'ms');
  if (ns > 0) return ns;
  throw new UserError(
    'bad-option',
    '--poll-sleep: a recorder that never sleeps would stop the simulated clock',
    {
      hint: 'the shortest sleep is 1ns',
    },
  );
}
