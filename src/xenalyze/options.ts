/** How bad an error is; what is above {@link XenalyzeOptions.tolerance} ends the real xenalyze. */
export const ERROR_STRICT = 1;
export const ERROR_WARN = 2;
export const ERROR_SANITY = 3;
export const ERROR_RECORD = 4;
export const ERROR_FILE = 5;
export const ERROR_LIMIT = 6;
export const ERROR_ASSERT = 7;
export const ERROR_SYSTEM = 8;

/** What an interval line tells. */
export type IntervalOutput =
  | 'cr3-schedule-time'
  | 'cr3-schedule-ordered'
  | 'cr3-short-summary'
  | 'domain-total-time'
  | 'domain-short-summary'
  | 'domain-guest-interrupt'
  | 'domain-grant-maps';

/** What is told of each interval. */
interface IntervalOptions {
  readonly output: IntervalOutput;
  /** One column for each of these values; a column for each that appears; or as the output says. */
  readonly mode: 'array' | 'list' | 'custom';
  readonly values: readonly bigint[];
  /** How long an interval is. */
  readonly cycles: number;
}

/** The options of xenalyze, by their names; see options-table for what each does. */
export type XenalyzeOptions = ReturnType<typeof defaultOptions>;

/** The options of a command line without options. */
export function defaultOptions() {
  return {
    dumpAll: false,
    dumpRawReads: false,
    dumpRawProcess: false,
    dumpNoProcessing: false,
    dumpIpiLatency: false,
    dumpTraceVolumeOnLostRecord: false,
    dumpShowPowerStates: false,
    withCr3Enumeration: false,
    withPioEnumeration: true,
    withMmioEnumeration: false,
    /** A vector; likewise the others that are numbers or undefined. */
    withInterruptEipEnumeration: undefined as number | undefined,
    mmioEnumerationSkipVga: true,
    scatterplotInterruptEip: undefined as number | undefined,
    scatterplotExtintCycles: undefined as number | undefined,
    scatterplotIo: undefined as number | undefined,
    scatterplotUnpinPromote: false,
    scatterplotCr3Switch: false,
    scatterplotWakeToHalt: false,
    scatterplotVmexitEip: false,
    scatterplotRunstate: false,
    scatterplotRunstateTime: false,
    scatterplotPcpu: false,
    scatterplotRdtsc: false,
    scatterplotIrq: false,
    histogramInterruptEip: undefined as { readonly vector: number; readonly increment: bigint } | undefined,
    interval: undefined as IntervalOptions | undefined,
    summary: false,
    /** Whether what a summary needs is collected: for a summary, or for interval lines. */
    summaryInfo: false,
    reportPcpu: false,
    showDefaultDomainSummary: false,
    sampleSize: 1024,
    sampleMax: 32 * 1024 * 1024,
    defaultGuestPagingLevels: 2,
    symbolFile: undefined as string | undefined,
    svmMode: false,
    ...cpuSpeed(2_400_000_000n),
    tolerance: ERROR_SANITY,
    tscLoopFatal: false,
    progress: false,
    /** Whether records are decoded as xenalyze 4.17 does, also where that is wrong. */
    compat417: false,
    traceFile: undefined as string | undefined,
  };
}

/**
 * The options that hold the frequency of the CPUs, given in Hz: cpuQhz is cycles per 1024/10^9 s, a whole number.
 */
export function cpuSpeed(hz: bigint): { cpuHz: number; cpuQhz: number } {
  return { cpuHz: Number(hz), cpuQhz: Number(BigInt.asIntN(64, hz << 10n) / 1_000_000_000n) };
}
