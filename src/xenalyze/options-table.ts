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

// The options, in the words of the real xenalyze.

const DUMP_OPTIONS = `
-a --dump-all                                Dump all records as they come in.
   --dump-raw-reads                          Dump raw data as it's read from disk.  Useful mainly for
                                             debugging the analysis tool.
   --dump-no-processing                      Don't do any processing on records other than cpu changes.
                                             Implies dump-raw-reads (or you wouldn't get anything).
   --dump-raw-process                        Dump raw data as it's processed.  Useful mainly for debugging
                                             the analysis tool.
   --dump-ipi-latency                        Dump IPI latency info as IPIs are delivered (vector 0xd1 only).
   --dump-trace-volume-on-lost-record        Dump the volume of trace types in the previous cpu buffer when
                                             a lost record is created.
   --dump-show-power-states                  Show the power-state of the physical cpu when dumping output.`;

const EXTRA_OPTIONS = `
   --with-cr3-enumeration                    Keep track of per-cr3 values
   --with-pio-enumeration                    Report summary info on indiviaul IO addresses
   --with-mmio-enumeration                   Report summary info on indiviaul MMIO addresses.
   --with-interrupt-eip-enumeration=vector   Report a summary on eips interrupted by specified vector.
   --scatterplot-interrupt-eip=vector        Output scatterplot of eips as a function of time.
   --scatterplot-extint-cycles=vector        Output a scatterplot of vmexit cycles for external interrupts
                                             of the given vector as a function of time.
   --scatterplot-unpin-promote               Output scatterplot of unpins and promotions.  If
                                             --with-cr3-enumeration is included, promotions include current
                                             cr3.
   --scatterplot-cr3-switch                  Output scatterplot of cr3 switches.
   --scatterplot-wake-to-halt                Output scatterplot of wake-to-halt.
   --scatterplot-vmexit-eip                  Output scatterplot of vmexit eips.
   --scatterplot-io=port                     Output scatterplot of io latencies for givein address as a
                                             function of time.
   --scatterplot-runstate                    Output scatterplot of runstate.
   --scatterplot-runstate-time               Output scatterplot of time in a runstate.
   --scatterplot-pcpu                        Output scatterplot of which pcpu vcpus are run on.
   --scatterplot-rdtsc                       Output scatterplot of rdtsc values.
   --scatterplot-irq                         Output scatterplot of irqs on pcpus.
   --histogram-interrupt-eip=vector[,increment] Output histograms of eips.`;

const INTERVAL_OPTIONS = `
-i --interval=sec                            Interval length to do time-based graphs, in seconds
   --interval-cr3-schedule-time=gmfn[,gmfn...] Print a csv with the listed cr3 value(s) every interval.
   --interval-cr3-schedule-time-all          Print a csv with all cr3 values every interval.
   --interval-cr3-schedule-ordered           Print summary with the top 10 cr3 values every interval.
   --interval-cr3-short-summary=gmfn         Print a csv with the hvm short summary of cr3 value every
                                             interval.
   --interval-domain-total-time=domain[,domain...] Print a csv with the listed domain(s) total runtime every
                                             interval.
   --interval-domain-total-time-all          Print a csv with all domains every interval.
   --interval-domain-short-summary=domain-id Print a csv with the hvm short summary of given domain every
                                             interval.
   --interval-domain-guest-interrupt=domain-id Print a csv with the guest interrupt count of given domain
                                             every interval.
-  --interval-domain-grant-maps=domain-id    Print a csv with the grant maps done on behalf of a given
                                             domain every interval.`;

const SUMMARY_OPTIONS = `
-! --show-default-domain-summary             Show default domain information on summary
-" --mmio-enumeration-skip-vga=[0|1]         Control whether we enumerate MMIO accesses to the VGA area,
                                             which can be extremely high during boot.  Default: 0
-# --sample-size=size                        Start with [size] samples for percentile purposes.  Enter 0
                                             todisable.  Default 1024.
-$ --sample-max=size                         Do not allow sample to grow beyond [size] samples for
                                             percentile purposes.  Enter 0 for no limit.
-s --summary                                 Output a summary
-% --report-pcpu                             Report utilization for pcpus`;

const GUEST_OPTIONS = `
-& --default-guest-paging-levels=L           Default guest paging levels.  Mainly necessary for Rio, as
                                             Miami traces include guest paging levels where appropriate.
-' --symbol-file=filename                    A symbol file for interpreting guest eips.`;

const HARDWARE_OPTIONS = `
-) --cpu-hz=HZ                               Cpu speed of the tracing host, used to convert tsc into
                                             seconds.
-( --svm-mode                                Assume AMD SVM-style vmexit error codes.  (Default is Intel
                                             VMX.)
-* --progress                                Progress dialog.  Requires the zenity (GTK+) executable.
-, --tsc-loop-fatal                          Stop processing and exit if tsc skew tracking detects a
                                             dependency loop.
-+ --tolerance=errlevel                      Sets tolerance for errors found in the file.  Default is 3; max
                                             is 6.
   --compat=VERSION                          Decode as that version of xenalyze does, also where it is
                                             wrong; 4.17 is known.`;

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

/** What options do, by their names. */
const TAKES: Readonly<Record<string, Handler>> = {
  'dump-all': output(on('dumpAll')),
  'dump-raw-reads': output(on('dumpRawReads')),
  'dump-no-processing': output(on('dumpNoProcessing', 'dumpRawReads')),
  'dump-raw-process': output(on('dumpRawProcess')),
  'dump-ipi-latency': on('dumpIpiLatency'),
  'dump-trace-volume-on-lost-record': on('dumpTraceVolumeOnLostRecord'),
  'dump-show-power-states': on('dumpShowPowerStates'),
  'with-cr3-enumeration': on('withCr3Enumeration'),
  'with-pio-enumeration': on('withPioEnumeration'),
  'with-mmio-enumeration': on('withMmioEnumeration'),
  'with-interrupt-eip-enumeration': integer('withInterruptEipEnumeration'),
  'scatterplot-interrupt-eip': output(integer('scatterplotInterruptEip')),
  'scatterplot-extint-cycles': output(integer('scatterplotExtintCycles')),
  'scatterplot-unpin-promote': output(on('scatterplotUnpinPromote')),
  'scatterplot-cr3-switch': output(on('scatterplotCr3Switch')),
  'scatterplot-wake-to-halt': output(on('scatterplotWakeToHalt')),
  'scatterplot-vmexit-eip': output(on('scatterplotVmexitEip')),
  'scatterplot-io': output(integer('scatterplotIo')),
  'scatterplot-runstate': output(on('scatterplotRunstate')),
  'scatterplot-runstate-time': output(on('scatterplotRunstateTime')),
  'scatterplot-pcpu': output(on('scatterplotPcpu')),
  'scatterplot-rdtsc': output(on('scatterplotRdtsc')),
  'scatterplot-irq': output(on('scatterplotIrq')),
  'histogram-interrupt-eip': histogram,
  interval: intervalLength,
  'interval-cr3-schedule-time': interval('cr3-schedule-time', 'array'),
  'interval-cr3-schedule-time-all': interval('cr3-schedule-time', 'list'),
  'interval-cr3-schedule-ordered': interval('cr3-schedule-ordered', 'none'),
  'interval-cr3-short-summary': interval('cr3-short-summary', 'one'),
  'interval-domain-total-time': interval('domain-total-time', 'array'),
  'interval-domain-total-time-all': interval('domain-total-time', 'list'),
  'interval-domain-short-summary': interval('domain-short-summary', 'one'),
  'interval-domain-guest-interrupt': interval('domain-guest-interrupt', 'one'),
  'interval-domain-grant-maps': interval('domain-grant-maps', 'one'),
  'show-default-domain-summary': on('showDefaultDomainSummary'),
  'mmio-enumeration-skip-vga': number((options, value) => {
    options.mmioEnumerationSkipVga = value % 2 !== 0;
  }),
  'sample-size': integer('sampleSize'),
  'sample-max': integer('sampleMax'),
  summary: output(on('summary', 'summaryInfo')),
  'report-pcpu': output(on('reportPcpu')),
  'default-guest-paging-levels': integer('defaultGuestPagingLevels'),
  'symbol-file': ({ options }, file) => {
    options.symbolFile = file;
    return undefined;
  },
  'cpu-hz': cpuHz,
  'svm-mode': on('svmMode'),
  progress: on('progress'),
  'tsc-loop-fatal': on('tscLoopFatal'),
  tolerance,
  compat,
};

/** All options, in the order in which the real xenalyze names those that an abbreviation may mean. */
export const OPTIONS: readonly OptionSpec[] = [
  ...optionsOf(DUMP, DUMP_OPTIONS),
  ...optionsOf(EXTRA, EXTRA_OPTIONS),
  ...optionsOf(INTERVAL, INTERVAL_OPTIONS),
  ...optionsOf(SUMMARY, SUMMARY_OPTIONS),
  ...optionsOf(GUEST, GUEST_OPTIONS),
  ...optionsOf(HARDWARE, HARDWARE_OPTIONS),
];

/** Reads a table of options: lines that begin with a blank go on; two blanks follow a sentence. */
function optionsOf(group: number, table: string): OptionSpec[] {
  const lines = table
    .trim()
    .replace(/\.\n {5,}/g, '.  ')
    .replace(/\n {5,}/g, ' ');
  return Array.from(
    lines.matchAll(/^(?:-(.)| ?) *--([\w-]+)(?:=(\S+))? +(.*)$/gm),
    ([, key, name, argument, help]) => ({
      name,
      key,
      argument,
      group,
      help,
      take: TAKES[name],
      ours: name === 'compat',
    }),
  );
}
