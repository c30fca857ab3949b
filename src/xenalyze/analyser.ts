import { UserError } from '../base/errors.ts';
import type { Cr3Value } from './hvm/cr3-values.ts';
import { HvmRun } from './hvm/hvm-run.ts';
import type { HvmVcpu } from './hvm/hvm-vcpu.ts';
import { ERROR_RECORD, type XenalyzeOptions } from './options.ts';
import { PercentileSearch } from './percentiles.ts';
import { RecordLines } from './record-lines.ts';
import { RunstateLog } from './runstate-log.ts';
import type { RunstateTimes } from './runstate-times.ts';
import { DEFAULT_DOMAIN, Domain, Pcpu, Vcpu } from './state.ts';
import type { SymbolTable } from './symbols.ts';
import type { TextOutput } from './text-output.ts';
import { WalkMemory } from './walk-memory.ts';
import { HEADER, INDEXES_MAX, OUTPUT, PICTURE } from './wasm/walk-layout.ts';

const EXACT_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** What stands for a TSC of 0, if TSCs are counted from `tscBase`. */
export function neverOf(tscBase: bigint): number {
  return 0 - Number(tscBase);
}

/** The state of one run: what xenalyze calls P and G. Everything that processes records takes it first. */
export class Analyser {
  readonly options: XenalyzeOptions;
  readonly out: TextOutput;
  /** Where warnings go: standard error, or standard output when records are dumped. */
  readonly warn: TextOutput;
  /** Standard error. */
  readonly stderr: TextOutput;
  readonly symbols: SymbolTable;

  /** Added to every TSC of this program to get that of the file. */
  readonly tscBase: bigint;
  readonly baseHigh: number;
  readonly baseLow: number;
  /** A TSC of 0: none. */
  readonly never: number;

  readonly memory: WalkMemory;
  readonly run: WalkMemory['run'];
  #firstTsc = 0;
  readonly pcpus: (Pcpu | undefined)[] = [];
  bufferTraceVirqTsc = 0;

  /** In ascending order of their ids. */
  readonly domains: Domain[] = [];
  readonly #domainById = new Map<number, Domain>();
  readonly defaultDomain: Domain;
  /** Called with each new domain. */
  onDomain: (domain: Domain) => void = () => {};
  /** Called with each new top-level page table of a known domain, with --with-cr3-enumeration. */
  onCr3: ((value: Cr3Value) => void) | undefined;
  /** Called with each interrupt that a guest is given, if a summary is collected. */
  onGuestInterrupt: ((h: HvmVcpu, vector: number) => void) | undefined;
  readonly hvm: HvmRun;
  /** What records are shown as. */
  readonly lines = new RecordLines(this);

  /** What vCPUs do, if a summary is wanted. */
  readonly runstateLog: RunstateLog;
  #indexes = 0;
  /** Whether options want to know of each transition. */
  readonly watchesRunstates: boolean;
  readonly search = new PercentileSearch();

  /** Seconds and nanoseconds of {@link setTime}. */
  seconds = 0;
  nanoseconds = 0;

  #offByOne = false;

  constructor(
    options: XenalyzeOptions,
    out: TextOutput,
    stderr: TextOutput,
    symbols: SymbolTable,
    tscBase: bigint,
    times: RunstateTimes | undefined,
  ) {
    this.options = options;
    this.out = out;
    this.stderr = stderr;
    this.warn = options.dumpAll ? out : stderr;
    this.symbols = symbols;
    this.hvm = new HvmRun(options.svmMode);
    this.tscBase = tscBase;
    this.never = neverOf(tscBase);
    this.memory = new WalkMemory(tscBase);
    this.run = this.memory.run;
    this.run.never = this.never;
    this.run.cpuQhz = BigInt(options.cpuQhz);
    this.run.showsPower = options.dumpShowPowerStates;
    this.memory.onFlush = () => out.flush();
    this.memory.onWideTime = (pcpu) => this.#takeTime(pcpu);
    out.moveTo(this.memory.output, this.memory.outputAt);
    this.run.maxActivePcpu = -1;
    this.firstTsc = this.never;
    this.run.lastTsc = this.never;
    this.baseHigh = Number(tscBase >> 32n);
    this.baseLow = Number(tscBase & 0xffffffffn);
    this.bufferTraceVirqTsc = this.never;
    this.runstateLog = new RunstateLog(this.memory, times);
    this.watchesRunstates =
      options.scatterplotRunstate ||
      options.scatterplotRunstateTime ||
      options.scatterplotPcpu ||
      options.interval !== undefined ||
      options.dumpTraceVolumeOnLostRecord;
    this.defaultDomain = new Domain(DEFAULT_DOMAIN, this.#newIndex());
  }

  get firstTsc(): number {
    return this.#firstTsc;
  }

  set firstTsc(tsc: number) {
    this.#firstTsc = tsc;
    this.run.firstTsc = tsc;
    this.run.firstTscInteger = BigInt(tsc);
    this.run.tscRange = EXACT_MAX - BigInt(tsc);
  }

  /** From the first to the last TSC so far. */
  get totalCycles(): number {
    return this.run.lastTsc - this.firstTsc;
  }

  pcpu(number: number): Pcpu {
    const known = this.pcpus[number];
    if (known !== undefined) return known;
    const pcpu = new Pcpu(number, this.never, this.memory);
    this.pcpus[number] = pcpu;
    return pcpu;
  }

  /** The domain, which is made where there is none yet. */
  domain(id: number): Domain {
    const known = this.#domainById.get(id);
    if (known !== undefined) return known;
    this.warn.printf('Creating domain %d\n', id);
    const domain = new Domain(id, this.#newIndex());
    this.#domainById.set(id, domain);
    const place = this.domains.findIndex((other) => other.id > id);
    this.domains.splice(place < 0 ? this.domains.length : place, 0, domain);
    this.onDomain(domain);
    return domain;
  }

  /** The vCPU, which is made where there is none yet, as is its domain. */
  vcpu(domainId: number, number: number): Vcpu {
    const domain = this.domain(domainId);
    return domain.vcpus[number] ?? this.createVcpu(domain, number);
  }

  createVcpu(domain: Domain, number: number): Vcpu {
    this.warn.printf('Creating vcpu %d for dom %d\n', number, domain.id);
    const vcpu = new Vcpu(domain, number, this.never, this.#newIndex(), this.memory);
    this.runstateLog.addVcpu(vcpu.index, domain.id === DEFAULT_DOMAIN ? -1 : domain.index);
    domain.vcpus[number] = vcpu;
    if (domain.id >>> 16 === 0) this.memory.program.addToTable(vcpu.address);
    return vcpu;
  }

  #newIndex(): number {
    if (this.#indexes === INDEXES_MAX)
      throw new UserError('too-many-vcpus', `there are more than ${INDEXES_MAX} vCPUs and domains`, {
        hint: 'no host has as many: the trace is damaged, or no trace',
      });
    return this.#indexes++;
  }

  /** Sets {@link seconds} and {@link nanoseconds} to the time of a TSC since the first one; 0 before it. */
  setTime(tsc: number): void {
    const cycles = tsc - this.firstTsc;
    // The second is not where nothing was processed: then the first TSC is that which stands for none.
    if (!Number.isSafeInteger(tsc) || !Number.isSafeInteger(cycles))
      this.setTimeOfAbsolute(this.exactOf(tsc));
    else if (cycles > 0) this.setTimeOfCycles(cycles);
    else {
      this.seconds = 0;
      this.nanoseconds = 0;
    }
  }

  /**
   * Sets {@link seconds} and {@link nanoseconds} to what xenalyze's cycles_to_time makes of a difference of TSCs: it
   * subtracts the first TSC once more.
   */
  setTimeOfDifference(cycles: number | bigint): void {
    this.#setTimeOfWide(BigInt(cycles) - this.#absoluteFirst());
  }

  /** As {@link setTime}, for a TSC as the file has it. */
  setTimeOfAbsolute(tsc: bigint): void {
    const first = this.#absoluteFirst();
    this.#setTimeOfWide(tsc > first ? tsc - first : 0n);
  }

  #absoluteFirst(): bigint {
    return BigInt(this.firstTsc) + this.tscBase;
  }

  /** Sets {@link seconds} and {@link nanoseconds} to the length of so many cycles. */
  setTimeOfCycles(cycles: number): void {
    const { cpuQhz } = this.options;
    if (cycles >= 2 ** 53 || cpuQhz === 0) {
      this.#setTimeOfWide(BigInt(cycles));
      return;
    }
    const whole = Math.floor(cycles / cpuQhz);
    const ns = whole * 1024 + Math.floor(((cycles - whole * cpuQhz) * 1024) / cpuQhz);
    this.seconds = Math.floor(ns / 1e9);
    this.nanoseconds = ns - this.seconds * 1e9;
  }

  /** The same in unsigned numbers of 64 bits, which overflow as xenalyze's do. */
  #setTimeOfWide(cycles: bigint): void {
    const { cpuQhz } = this.options;
    // There xenalyze divides by 0.
    if (cpuQhz === 0) this.wouldEnd();
    const ns = cpuQhz === 0 ? 0n : BigInt.asUintN(64, cycles << 10n) / BigInt(cpuQhz);
    this.seconds = Number(BigInt.asUintN(32, ns / 1_000_000_000n));
    this.nanoseconds = Number(BigInt.asUintN(32, ns - BigInt(this.seconds) * 1_000_000_000n));
  }

  /** Sets the time of a TSC that is too large for wasm/record-header.ts. */
  #takeTime({ tsc, exactTsc }: Pcpu): void {
    if (exactTsc === undefined) this.setTime(tsc);
    else this.setTimeOfAbsolute(exactTsc);
    this.run.seconds = this.seconds;
    this.run.nanoseconds = this.nanoseconds;
  }

  /** Writes `seconds.nanoseconds` of a TSC since the first one, as scatterplots and intervals have it. */
  writeTime(tsc: number): void {
    this.setTime(tsc);
    this.out.printf('%u.%09u', this.seconds, this.nanoseconds);
  }

  /** A point of a scatterplot: time, space, value. */
  scatterplot(tsc: number, value: number | bigint): void {
    this.setTime(tsc);
    this.out.printf('%u.%09u %lld\n', this.seconds, this.nanoseconds, value);
  }

  /** A TSC as the file has it. */
  absolute(tsc: number): number | bigint {
    return this.tscBase === 0n ? tsc : BigInt(tsc) + this.tscBase;
  }

  /** The TSC of a pCPU's current record as the file has it. */
  exact({ tsc, exactTsc }: Pcpu): bigint {
    return exactTsc ?? BigInt(this.absolute(tsc));
  }

  /** A TSC as the file has it; where a number has rounded it, exactly if it is the one being processed. */
  exactOf(tsc: number): bigint {
    return BigInt.asUintN(64, this.memory.program.exactTscOf(tsc) + this.tscBase);
  }

  /** What a TSC of the file, given as two words, is here. */
  relative(high: number, low: number): number {
    return (high - this.baseHigh) * 2 ** 32 + (low - this.baseLow);
  }

  /**
   * Takes notice of an error. One beyond what is tolerated would end the real xenalyze: this program goes on and says
   * so once, with the record if one is given.
   */
  error(level: number, pcpu?: Pcpu): void {
    if (level <= this.options.tolerance) return;
    if (pcpu !== undefined) this.dumpGeneric(this.warn, pcpu);
    this.wouldEnd();
  }

  /** Notes that the real xenalyze ends here: an error, an assertion, or a crash. */
  wouldEnd(): void {
    if (this.run.ended) return;
    this.run.ended = true;
    this.stderr.text('xenscope: xenalyze ends here; what follows it would not have shown\n');
  }

  /**
   * Whether a record has as many extra words as a layout of `bytes` bytes. If not, says so; the record is then left
   * alone.
   */
  hasExtraWords(pcpu: Pcpu, bytes: number, name: string): boolean {
    const expected = bytes >> 2;
    if (pcpu.extraWords === expected) return true;
    if (pcpu.extraWords === expected + 1) {
      if (!this.#offByOne) this.warn.text('Detected off-by-one bug; relaxing expectations\n');
      this.#offByOne = true;
      return true;
    }
    this.warn.printf('ERROR: %s extra_words %d, expected %d!\n', name, pcpu.extraWords, expected);
    this.error(ERROR_RECORD, pcpu);
    return false;
  }

  /** A record nobody knows more of: shown as numbers where records are dumped. */
  processGeneric(pcpu: Pcpu): void {
    this.error(1, pcpu);
    if (this.options.dumpAll) this.dumpGeneric(this.out, pcpu);
  }

  dumpGeneric(out: TextOutput, { event, extraWords, words, wordsAt }: Pcpu): void {
    out.text(']');
    this.writeHeader(out);
    out.printf(
      ' %7x(%x:%x:%x) %u [',
      event,
      (event >>> 16) & 0xfff,
      (event >>> 12) & 15,
      event & 0xfff,
      extraWords,
    );
    for (let i = 0; i < extraWords; i++) out.printf(' %x', words[wordsAt + i]);
    out.text(' ]\n');
  }

  /**
   * Says whose record comes. The text in front of its lines is made when the first of them is written, or when
   * {@link makeHeader} is called because the record may change what it shows: the time, one character a pCPU, the vCPU.
   */
  beginRecord(pcpu: Pcpu): void {
    this.run.headerOf = pcpu.address;
  }

  /** Makes the text in front of the lines of the record that is being processed. */
  makeHeader(): void {
    this.memory.program.makeHeader();
  }

  /** Begins a line: a mark, and the text in front of the lines of a record. */
  startLine(mark: number): void {
    this.out.reserve();
    this.out.byte(mark);
    this.writeHeader();
  }

  /** Writes the text in front of the lines of a record. */
  writeHeader(out = this.out): void {
    out.reserve();
    if (out === this.out) out.at = this.memory.program.putHeader(OUTPUT + out.at) - OUTPUT;
    else out.text(this.header);
  }

  /** The text in front of the lines of a record, for printf. */
  get header(): string {
    this.makeHeader();
    return this.memory.text(HEADER, this.run.headerLength);
  }

  /** The picture of all pCPUs, with `pcpu` as the one that has a record. */
  picture(pcpu: Pcpu): string {
    this.memory.program.drawAll(pcpu.address);
    return this.memory.text(PICTURE, this.run.drawn);
  }

  /** Brings the picture of a pCPU up to date. */
  draw(pcpu: Pcpu): void {
    this.memory.program.draw(pcpu.address);
  }
}
