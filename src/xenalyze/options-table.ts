import { parseFloat32, parseInteger, toInt, toInteger64, toUnsigned64 } from './c-numbers.ts';
import { cpuSpeed, ERROR_LIMIT, type IntervalOutput, type XenalyzeOptions } from './options.ts';
import type { TextOutput } from './text-output.ts';

/** The exit code of an argument that is not understood. */
export const USAGE = 64;

/** What is known while the command line is read. */
export interface Parsing {
  readonly options: XenalyzeOptions;
  /** Whether an option asked for something to be printed. */
  outputDefined: boolean;
  intervalMs: number;
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
}

/** Takes an option and its argument; gives an exit code where the program ends with it. */
type Handler = (parsing: Parsing, argument: string) => number | undefined;

export interface OptionSpec {
  readonly name: string;
  /** The short option: a letter where that was meant, a sign where the option's number happens to be one. */
  readonly key?: string;
  /** The name of the argument; all arguments are mandatory. */
  readonly argument?: string;
  /** Options of a group stand together in the help. */
  readonly group: number;
  readonly help: string;
  readonly take: Handler;
  /** Whether the real xenalyze does not have it: then it has to be spelled out, or it would make others ambiguous. */
  readonly ours?: boolean;
}

const SUMMARY = 1;
const DUMP = 2;
const INTERVAL = 3;
const EXTRA = 4;
const GUEST = 5;
const HARDWARE = 6;

type OptionsOf<T> = {
  [K in keyof XenalyzeOptions]: T extends XenalyzeOptions[K] ? K : never;
}[keyof XenalyzeOptions];

/** Switches these options on. */
function on(...names: OptionsOf<boolean>[]): Handler {
  return ({ options }) => {
    for (const name of names) options[name] = true;
    return undefined;
  };
}

/** Takes a 32-bit number. */
function number(take: (options: XenalyzeOptions, value: number) => void): Handler {
  return ({ options }, argument) => {
    const parsed = parseInteger(argument);
    if (parsed === undefined) return USAGE;
    take(options, toInt(parsed.value));
    return undefined;
  };
}

/** Takes a 32-bit number for an option. */
function integer(name: OptionsOf<number>): Handler {
  return number((options, value) => {
    options[name] = value;
  });
}

/** What prints something by itself: without any such option the output is a summary. */
function output(take: Handler): Handler {
  return (parsing, argument) => {
    parsing.outputDefined = true;
    return take(parsing, argument);
  };
}

/**
 * Asks for a line per interval. A list of values makes a column of each, `list` makes one of each value that appears;
 * an option of neither kind leaves that to those before it.
 */
function interval(kind: IntervalOutput, columns: 'array' | 'list' | 'one' | 'none'): Handler {
  return output((parsing, argument) => {
    const { options } = parsing;
    let values: bigint[] | undefined = [...(options.interval?.values ?? [])];
    if (columns === 'array' || columns === 'one') values = parseArray(parsing, argument);
    if (values === undefined || (columns === 'one' && values.length !== 1)) {
      parsing.stderr.printf('Invalid input for interval-%s\n', kind);
      return USAGE;
    }
    const before = options.interval;
    const mode = columns === 'array' || columns === 'list' ? columns : (before?.mode ?? 'custom');
    // The columns of a list before stay; those whose value is not given any more stay empty.
    if (columns === 'one' && mode === 'array')
      while (values.length < (before?.values.length ?? 0)) values.push(-1n);
    options.interval = { output: kind, mode, values, cycles: 0 };
    options.summaryInfo = true;
    if (kind.startsWith('cr3')) options.withCr3Enumeration = true;
    return undefined;
  });
}

/** Numbers with commas between them. */
function parseArray({ stderr }: Parsing, argument: string): bigint[] | undefined {
  const count = argument.split(',').length;
  stderr.printf('parse_array: Found %d elements\n', count);
  const values: bigint[] = [];
  for (let at = 0; values.length < count; ) {
    const parsed = parseInteger(argument, at);
    const end = parsed?.end ?? at;
    if (parsed === undefined || (end < argument.length && argument[end] !== ',')) {
      stderr.printf('Bad format: %s\n', argument.slice(end));
      return undefined;
    }
    const value = toUnsigned64(parsed.value);
    stderr.printf('parse_array: Found element 0x%llx (%lld)\n', value, BigInt.asIntN(64, value));
    values.push(value);
    at = end + 1;
  }
  return values;
}

const HZ_OF_SUFFIX: Readonly<Record<string, number>> = { G: 1e9, M: 1e6, K: 1e3, k: 1e3 };

function cpuHz({ options, stderr }: Parsing, argument: string): number | undefined {
  const parsed = parseFloat32(argument);
  if (parsed === undefined) {
    stderr.printf('Invalid cpu_hz %s\n', argument);
    return 1;
  }
  const suffix = argument[parsed.end];
  const unit = suffix === undefined ? 1 : HZ_OF_SUFFIX[suffix];
  if (unit === undefined) {
    stderr.printf('Unknown suffix %c\n', suffix);
    return 1;
  }
  Object.assign(options, cpuSpeed(toInteger64(Math.fround(parsed.value * unit))));
  return undefined;
}

function intervalLength(parsing: Parsing, argument: string): number | undefined {
  const parsed = parseFloat32(argument);
  if (parsed === undefined) return USAGE;
  parsing.intervalMs = Number(BigInt.asUintN(32, toInteger64(Math.fround(parsed.value * 1000))));
  return undefined;
}

function histogram({ options, stdout }: Parsing, argument: string): number | undefined {
  const parsed = parseInteger(argument);
  if (parsed === undefined) return USAGE;
  const vector = toInt(parsed.value);
  let increment = 0x1000000n;
  if (argument[parsed.end] === ',')
    increment = toUnsigned64(parseInteger(argument, parsed.end + 1)?.value ?? 0n);
  options.histogramInterruptEip = { vector, increment };
  stdout.printf('Making histogram of eips at interrupt %d, increment %llx\n', vector, increment);
  return undefined;
}

function tolerance({ options, stdout, stderr }: Parsing, argument: string): number | undefined {
  const parsed = parseInteger(argument);
  if (parsed === undefined) return USAGE;
  const level = toInt(parsed.value);
  if (level < 0 || level > ERROR_LIMIT) {
    stderr.printf('ERROR: Max tolerable error %d\n', ERROR_LIMIT);
    return 1;
  }
  options.tolerance = level;
  stdout.printf('Tolerating errors at or below %d\n', level);
  return undefined;
}

function compat({ options, stderr }: Parsing, argument: string): number | undefined {
  if (argument !== '4.17') {
    stderr.printf('xenscope: --compat knows 4.17 only, not %s\n', argument);
    return USAGE;
  }
  options.compat417 = true;
  return undefined;
}

/** All options, in the order in which the real xenalyze names those that an abbreviation may mean. */
export const OPTIONS: readonly OptionSpec[] = [
  {
    name: 'dump-all',
    key: 'a',
    group: DUMP,
    help: 'Dump all records as they come in.',
    take: output(on('dumpAll')),
  },
  {
    name: 'dump-raw-reads',
    group: DUMP,
    help: "Dump raw data as it's read from disk.  Useful mainly for debugging the analysis tool.",
    take: output(on('dumpRawReads')),
  },
  {
    name: 'dump-no-processing',
    group: DUMP,
    help:
      "Don't do any processing on records other than cpu changes.  Implies dump-raw-reads (or you wouldn't get " +
      'anything).',
    take: output(on('dumpNoProcessing', 'dumpRawReads')),
  },
  {
    name: 'dump-raw-process',
    group: DUMP,
    help: "Dump raw data as it's processed.  Useful mainly for debugging the analysis tool.",
    take: output(on('dumpRawProcess')),
  },
  {
    name: 'dump-ipi-latency',
    group: DUMP,
    help: 'Dump IPI latency info as IPIs are delivered (vector 0xd1 only).',
    take: on('dumpIpiLatency'),
  },
  {
    name: 'dump-trace-volume-on-lost-record',
    group: DUMP,
    help: 'Dump the volume of trace types in the previous cpu buffer when a lost record is created.',
    take: on('dumpTraceVolumeOnLostRecord'),
  },
  {
    name: 'dump-show-power-states',
    group: DUMP,
    help: 'Show the power-state of the physical cpu when dumping output.',
    take: on('dumpShowPowerStates'),
  },
  {
    name: 'with-cr3-enumeration',
    group: EXTRA,
    help: 'Keep track of per-cr3 values',
    take: on('withCr3Enumeration'),
  },
  {
    name: 'with-pio-enumeration',
    group: EXTRA,
    help: 'Report summary info on indiviaul IO addresses',
    take: on('withPioEnumeration'),
  },
  {
    name: 'with-mmio-enumeration',
    group: EXTRA,
    help: 'Report summary info on indiviaul MMIO addresses.',
    take: on('withMmioEnumeration'),
  },
  {
    name: 'with-interrupt-eip-enumeration',
    argument: 'vector',
    group: EXTRA,
    help: 'Report a summary on eips interrupted by specified vector.',
    take: integer('withInterruptEipEnumeration'),
  },
  {
    name: 'scatterplot-interrupt-eip',
    argument: 'vector',
    group: EXTRA,
    help: 'Output scatterplot of eips as a function of time.',
    take: output(integer('scatterplotInterruptEip')),
  },
  {
    name: 'scatterplot-extint-cycles',
    argument: 'vector',
    group: EXTRA,
    help:
      'Output a scatterplot of vmexit cycles for external interrupts of the given vector as a function of ' +
      'time.',
    take: output(integer('scatterplotExtintCycles')),
  },
  {
    name: 'scatterplot-unpin-promote',
    group: EXTRA,
    help:
      'Output scatterplot of unpins and promotions.  If --with-cr3-enumeration is included, promotions include ' +
      'current cr3.',
    take: output(on('scatterplotUnpinPromote')),
  },
  {
    name: 'scatterplot-cr3-switch',
    group: EXTRA,
    help: 'Output scatterplot of cr3 switches.',
    take: output(on('scatterplotCr3Switch')),
  },
  {
    name: 'scatterplot-wake-to-halt',
    group: EXTRA,
    help: 'Output scatterplot of wake-to-halt.',
    take: output(on('scatterplotWakeToHalt')),
  },
  {
    name: 'scatterplot-vmexit-eip',
    group: EXTRA,
    help: 'Output scatterplot of vmexit eips.',
    take: output(on('scatterplotVmexitEip')),
  },
  {
    name: 'scatterplot-io',
    argument: 'port',
    group: EXTRA,
    help: 'Output scatterplot of io latencies for givein address as a function of time.',
    take: output(integer('scatterplotIo')),
  },
  {
    name: 'scatterplot-runstate',
    group: EXTRA,
    help: 'Output scatterplot of runstate.',
    take: output(on('scatterplotRunstate')),
  },
  {
    name: 'scatterplot-runstate-time',
    group: EXTRA,
    help: 'Output scatterplot of time in a runstate.',
    take: output(on('scatterplotRunstateTime')),
  },
  {
    name: 'scatterplot-pcpu',
    group: EXTRA,
    help: 'Output scatterplot of which pcpu vcpus are run on.',
    take: output(on('scatterplotPcpu')),
  },
  {
    name: 'scatterplot-rdtsc',
    group: EXTRA,
    help: 'Output scatterplot of rdtsc values.',
    take: output(on('scatterplotRdtsc')),
  },
  {
    name: 'scatterplot-irq',
    group: EXTRA,
    help: 'Output scatterplot of irqs on pcpus.',
    take: output(on('scatterplotIrq')),
  },
  {
    name: 'histogram-interrupt-eip',
    argument: 'vector[,increment]',
    group: EXTRA,
    help: 'Output histograms of eips.',
    take: histogram,
  },
  {
    name: 'interval',
    key: 'i',
    argument: 'sec',
    group: INTERVAL,
    help: 'Interval length to do time-based graphs, in seconds',
    take: intervalLength,
  },
  {
    name: 'interval-cr3-schedule-time',
    argument: 'gmfn[,gmfn...]',
    group: INTERVAL,
    help: 'Print a csv with the listed cr3 value(s) every interval.',
    take: interval('cr3-schedule-time', 'array'),
  },
  {
    name: 'interval-cr3-schedule-time-all',
    group: INTERVAL,
    help: 'Print a csv with all cr3 values every interval.',
    take: interval('cr3-schedule-time', 'list'),
  },
  {
    name: 'interval-cr3-schedule-ordered',
    group: INTERVAL,
    help: 'Print summary with the top 10 cr3 values every interval.',
    take: interval('cr3-schedule-ordered', 'none'),
  },
  {
    name: 'interval-cr3-short-summary',
    argument: 'gmfn',
    group: INTERVAL,
    help: 'Print a csv with the hvm short summary of cr3 value every interval.',
    take: interval('cr3-short-summary', 'one'),
  },
  {
    name: 'interval-domain-total-time',
    argument: 'domain[,domain...]',
    group: INTERVAL,
    help: 'Print a csv with the listed domain(s) total runtime every interval.',
    take: interval('domain-total-time', 'array'),
  },
  {
    name: 'interval-domain-total-time-all',
    group: INTERVAL,
    help: 'Print a csv with all domains every interval.',
    take: interval('domain-total-time', 'list'),
  },
  {
    name: 'interval-domain-short-summary',
    argument: 'domain-id',
    group: INTERVAL,
    help: 'Print a csv with the hvm short summary of given domain every interval.',
    take: interval('domain-short-summary', 'one'),
  },
  {
    name: 'interval-domain-guest-interrupt',
    argument: 'domain-id',
    group: INTERVAL,
    help: 'Print a csv with the guest interrupt count of given domain every interval.',
    take: interval('domain-guest-interrupt', 'one'),
  },
  {
    name: 'interval-domain-grant-maps',
    key: ' ',
    argument: 'domain-id',
    group: INTERVAL,
    help: 'Print a csv with the grant maps done on behalf of a given domain every interval.',
    take: interval('domain-grant-maps', 'one'),
  },
  {
    name: 'show-default-domain-summary',
    key: '!',
    group: SUMMARY,
    help: 'Show default domain information on summary',
    take: on('showDefaultDomainSummary'),
  },
  {
    name: 'mmio-enumeration-skip-vga',
    key: '"',
    argument: '[0|1]',
    group: SUMMARY,
    help:
      'Control whether we enumerate MMIO accesses to the VGA area, which can be extremely high during boot.  ' +
      'Default: 0',
    take: number((options, value) => {
      options.mmioEnumerationSkipVga = value % 2 !== 0;
    }),
  },
  {
    name: 'sample-size',
    key: '#',
    argument: 'size',
    group: SUMMARY,
    help: 'Start with [size] samples for percentile purposes.  Enter 0 todisable.  Default 1024.',
    take: integer('sampleSize'),
  },
  {
    name: 'sample-max',
    key: '$',
    argument: 'size',
    group: SUMMARY,
    help:
      'Do not allow sample to grow beyond [size] samples for percentile purposes.  Enter 0 for no ' +
      'limit.',
    take: integer('sampleMax'),
  },
  {
    name: 'summary',
    key: 's',
    group: SUMMARY,
    help: 'Output a summary',
    take: output(on('summary', 'summaryInfo')),
  },
  {
    name: 'report-pcpu',
    key: '%',
    group: SUMMARY,
    help: 'Report utilization for pcpus',
    take: output(on('reportPcpu')),
  },
  {
    name: 'default-guest-paging-levels',
    key: '&',
    argument: 'L',
    group: GUEST,
    help:
      'Default guest paging levels.  Mainly necessary for Rio, as Miami traces include guest paging levels ' +
      'where appropriate.',
    take: integer('defaultGuestPagingLevels'),
  },
  {
    name: 'symbol-file',
    key: "'",
    argument: 'filename',
    group: GUEST,
    help: 'A symbol file for interpreting guest eips.',
    take: ({ options }, file) => {
      options.symbolFile = file;
      return undefined;
    },
  },
  {
    name: 'cpu-hz',
    key: ')',
    argument: 'HZ',
    group: HARDWARE,
    help: 'Cpu speed of the tracing host, used to convert tsc into seconds.',
    take: cpuHz,
  },
  {
    name: 'svm-mode',
    key: '(',
    group: HARDWARE,
    help: 'Assume AMD SVM-style vmexit error codes.  (Default is Intel VMX.)',
    take: on('svmMode'),
  },
  {
    name: 'progress',
    key: '*',
    group: HARDWARE,
    help: 'Progress dialog.  Requires the zenity (GTK+) executable.',
    take: on('progress'),
  },
  {
    name: 'tsc-loop-fatal',
    key: ',',
    group: HARDWARE,
    help: 'Stop processing and exit if tsc skew tracking detects a dependency loop.',
    take: on('tscLoopFatal'),
  },
  {
    name: 'tolerance',
    key: '+',
    argument: 'errlevel',
    group: HARDWARE,
    help: 'Sets tolerance for errors found in the file.  Default is 3; max is 6.',
    take: tolerance,
  },
  {
    name: 'compat',
    argument: 'VERSION',
    group: HARDWARE,
    help: 'Decode as that version of xenalyze does, also where it is wrong; 4.17 is known.',
    take: compat,
    ours: true,
  },
];
