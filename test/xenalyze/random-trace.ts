import { Prng } from '../../src/base/prng.ts';
import { EventCatalog, type EventDefinition } from '../../src/format/index.ts';
import { Draws, isOf417, randomWords, type Surroundings } from './random-words.ts';

/** What kind of host leaves the trace, and how well the trace describes it. */
export interface Recipe {
  /** At least so many records. */
  readonly records: number;
  readonly pcpus: number;
  readonly pvDomains: number;
  readonly hvmDomains: number;
  readonly vcpusOfDomain: number;
  /** Whether exits have AMD's numbers. */
  readonly svm: boolean;
  /** Layouts and events of all Xens, not only of 4.17. */
  readonly anyLayout: boolean;
  /** Also the records that the default decodes otherwise than xenalyze 4.17, on purpose. */
  readonly deliberate: boolean;
  /**
   * Records of faults in shadow page tables end at a multiple of 8 bytes, as xenalyze expects. Xen's do not, and
   * xenalyze ends at the first of them.
   */
  readonly paddedFaults: boolean;
  readonly tscBase: bigint;
  readonly cyclesOfStep: number;
  /** How far TSCs of pCPUs are apart, at most. */
  readonly skewCycles: number;
  /** How many of the pCPUs come later, or leave. */
  readonly late: number;
  readonly silent: number;
  // Probabilities for each record.
  readonly lost: number;
  readonly wrap: number;
  /** No time passes before it. */
  readonly sameTime: number;
  /** Another number of words than its event has. */
  readonly wrongWords: number;
  /** Of values: one at the end of its range. */
  readonly extremes: number;
  /** An event that makes no sense here. */
  readonly stray: number;
  /** Of runstate changes: they do not go with what was before. */
  readonly strange: number;
}

/** A host as the seed has it. */
export function randomRecipe(seed: number): Recipe {
  const draws = new Draws(Prng.fromSeed(seed).fork('recipe'));
  const sometimes = (probability: number, value: number) => (draws.chance(probability) ? value : 0);
  return {
    records: draws.pick([300, 1000, 3000]),
    pcpus: draws.weighted([
      [3, 1],
      [4, 2],
      [8, 4],
      [2, 11],
      [1, 40],
    ]),
    pvDomains: draws.below(3),
    hvmDomains: draws.below(4),
    vcpusOfDomain: 1 + draws.below(4),
    svm: draws.chance(0.2),
    anyLayout: false,
    deliberate: true,
    paddedFaults: draws.chance(0.8),
    tscBase: draws.pick([0n, 1_000n, 123_456_789_012n, 123_456_789_012n, 2n ** 53n + 12_345n, 2n ** 62n]),
    cyclesOfStep: draws.pick([200, 5_000, 500_000]),
    skewCycles: sometimes(0.3, draws.pick([20, 2_000, 1_000_000])),
    late: draws.pick([0, 0, 0.3]),
    silent: draws.pick([0, 0, 0.3]),
    lost: sometimes(0.3, 0.003),
    wrap: sometimes(0.5, 0.01),
    sameTime: draws.pick([0, 0.1, 0.5]),
    wrongWords: sometimes(0.15, 0.005),
    extremes: sometimes(0.15, 0.02),
    stray: sometimes(0.2, 0.01),
    strange: sometimes(0.15, 0.02),
  };
}

/** A trace as xentrace would have left it on such a host. The same for the same seed and changes. */
export function randomTrace(seed: number, changes: Partial<Recipe> = {}): Uint8Array {
  return new Host(seed, { ...randomRecipe(seed), ...changes }).run();
}

const IDLE = 32767;
const RUNNING = 0;
const RUNNABLE = 1;
const BLOCKED = 2;
const OFFLINE = 3;

interface GuestVcpu {
  readonly guest: Guest;
  readonly number: number;
  state: number;
  /** Whether it left the guest and did not come back yet. */
  inExit: boolean;
}

interface Guest {
  readonly dom: number;
  readonly kind: 'idle' | 'pv' | 'hvm';
  /** Of page tables. */
  levels: number;
  readonly vcpus: GuestVcpu[];
}

interface HostPcpu {
  readonly number: number;
  readonly skew: number;
  readonly onlineAt: number;
  readonly offlineAt: number;
  current: GuestVcpu;
  cstate: number;
  /** Records that were not written to the file yet. */
  pending: number[][];
  /** How many records are still to be lost, how many were, and since when. */
  losing: number;
  lostCount: number;
  lostTsc: bigint;
  lastTsc: bigint;
}

const catalog = EventCatalog.builtIn();
const named = (name: string): EventDefinition => {
  const event = catalog.eventByName(name);
  if (event === undefined) throw new Error(`no event ${name}`);
  return event;
};
const ofClass = (name: string) => catalog.events.filter(({ className }) => className === name);
const subclass = ({ id }: EventDefinition) => (id >> 12) & 15;

const HYPERCALL_V2 = 0x20100d;
const HYPERCALL_SUBCALL = 0x20200e;

/** Events that need no state to make sense. */
const VERBOSE = ofClass('sched_core').filter((event) => subclass(event) === 8);
const SCHEDULERS = ['credit', 'credit2', 'rtds', 'null_sched'].map(ofClass);
const MEMORY = ofClass('mem');
const INTERRUPTS = ofClass('hw').filter((event) => subclass(event) === 2);
const DOM0_OPERATIONS = ofClass('dom0_ops');
const EMULATION = ofClass('hvm_emul');
/** All but the hypercalls whose words say which arguments there are. */
const PV = ofClass('pv').filter(({ id }) => id !== HYPERCALL_V2 && id !== HYPERCALL_SUBCALL);
const SHADOW = ofClass('shadow');
const HANDLERS = ofClass('hvm_handler');
/** Numbers of older Xens and events of xenscope: to xenalyze they are unknown. */
const FOREIGN = [
  ...['bcredit', 'rtxen', 'scheduling_domain', 'task', 'sedf'].flatMap(ofClass),
  ...ofClass('sched_core').filter((event) => subclass(event) === 15),
  named('TRC_TRACE_IRQ'),
];
/** What the default shows otherwise than xenalyze 4.17. */
const DELIBERATE =
  /RTDS_(BUDGET_REPLENISH|SCHEDULE)|SHADOW_(NOT_SHADOW|FIXUP|EMULATE).*_(PAE|64)|MEM_POD|DECREASE_RESERVATION|SVM_EXIT|NESTED|HVM_CR_WRITE/;

/** Records in which xenalyze expects 64-bit values to be aligned. */
const PADDED_FAULTS = /SHADOW_(NOT_SHADOW|FIXUP|EMULATE).*_(PAE|64)$/;
const CR_WRITE = 0x82009;
const CR_WRITE_64 = 0x82109;
/** Guests said when they ended a process; no Xen records that any more. */
const OP_DESTROY_PROC = 0x82100;

/** It has no room for the padding. */
const EMULATE_64 = 0x40f208;
/** Handlers that Intel's exits lead to, without TRC_HVM_ and the 64 of wide guests. */
const VMX_EXITS: readonly (readonly [number, readonly [number, ...string[]]])[] = [
  [
    20,
    [0, 'shadow', 'shadow', 'shadow', 'shadow', 'PF_XEN', 'TRAP', 'TRAP_DEBUG', 'NMI', 'MCE', 'CR_WRITE', ''],
  ],
  [10, [1, 'INTR', 'INTR', 'INTR', 'INTR', 'SMI', '']],
  [2, [2, '']],
  [3, [7, '']],
  [1, [9, 'REALMODE_EMULATE', '']],
  [5, [10, 'CPUID']],
  [3, [14, 'INVLPG']],
  [4, [16, 'RDTSC']],
  [5, [18, 'VMMCALL']],
  [12, [28, 'CR_WRITE', 'CR_WRITE', 'CR_WRITE', 'CR_READ', 'CLTS', 'LMSW']],
  [2, [29, 'DR_WRITE', 'DR_READ']],
  [8, [30, 'IOPORT_READ', 'IOPORT_WRITE', 'IO_READ', 'IO_WRITE', 'IOPORT_READ64']],
  [3, [31, 'MSR_READ']],
  [3, [32, 'MSR_WRITE']],
  [2, [43, '']],
  [8, [44, 'apic', 'apic', 'apic', 'VLAPIC']],
  [8, [48, 'NPF', 'IOMEM_READ', 'IOMEM_WRITE', 'memory']],
  [1, [54, '']],
  [1, [55, 'XCR_WRITE64', 'XCR_READ64']],
  [1, [25, '']],
];

/** The same for AMD's. */
const SVM_EXITS: typeof VMX_EXITS = [
  [5, [3, 'CR_READ']],
  [10, [19, 'CR_WRITE']],
  [5, [16, 'CR_WRITE', 'CLTS', 'LMSW']],
  [2, [55, 'DR_WRITE']],
  [15, [78, 'shadow', 'PF_XEN', 'PF_INJECT', 'TRAP']],
  [10, [96, 'INTR']],
  [1, [97, 'NMI']],
  [3, [100, '']],
  [4, [114, 'CPUID']],
  [3, [121, 'INVLPG']],
  [6, [123, 'IOPORT_READ', 'IOPORT_WRITE']],
  [4, [124, 'MSR_READ', 'MSR_WRITE']],
  [4, [129, 'VMMCALL']],
  [8, [1024, 'NPF', 'IOMEM_READ', 'IOMEM_WRITE', 'apic']],
];

class Host implements Surroundings {
  readonly #recipe: Recipe;
  readonly #draws: Draws;
  readonly domains: readonly number[];
  readonly pcpus: number;
  readonly extremes: number;
  readonly #pcpus: HostPcpu[];
  readonly #guests: Guest[];
  readonly #schedulers: readonly EventDefinition[];
  readonly #bytes: number[] = [];
  #now = 0;
  #records = 0;

  constructor(seed: number, recipe: Recipe) {
    this.#recipe = recipe;
    const draws = new Draws(Prng.fromSeed(seed).fork('trace'));
    this.#draws = draws;
    this.pcpus = recipe.pcpus;
    this.extremes = recipe.extremes;
    const idle = this.#guest(IDLE, 'idle', recipe.pcpus);
    this.#guests = [idle, this.#guest(0, 'pv', Math.min(4, recipe.pcpus + 1))];
    for (let i = 0; i < recipe.pvDomains; i++)
      this.#guests.push(this.#guest(1 + i, 'pv', recipe.vcpusOfDomain));
    for (let i = 0; i < recipe.hvmDomains; i++)
      this.#guests.push(this.#guest(20 - i, 'hvm', recipe.vcpusOfDomain));
    this.domains = this.#guests.map(({ dom }) => dom);
    const end = recipe.records * recipe.cyclesOfStep;
    this.#pcpus = idle.vcpus.map((current, number) => ({
      number,
      skew: recipe.skewCycles === 0 ? 0 : draws.below(recipe.skewCycles),
      onlineAt: number > 0 && draws.chance(recipe.late) ? draws.below(end) : 0,
      offlineAt: draws.chance(recipe.silent) ? draws.below(end) : Number.POSITIVE_INFINITY,
      current,
      cstate: 0,
      pending: [],
      losing: 0,
      lostCount: 0,
      lostTsc: 0n,
      lastTsc: 0n,
    }));
    this.#schedulers = draws.chance(0.5) ? draws.pick(SCHEDULERS) : SCHEDULERS.flat();
  }

  run(): Uint8Array {
    const { records, pcpus } = this.#recipe;
    const recordsOfRound = 50 + this.#draws.below(records);
    for (let round = recordsOfRound; this.#records < records; ) {
      const online = this.#pcpus.filter(
        ({ onlineAt, offlineAt }) => onlineAt <= this.#now && this.#now < offlineAt,
      );
      if (online.length === 0) this.#now += this.#recipe.cyclesOfStep * pcpus;
      else this.#act(this.#draws.pick(online));
      if (online.length === 0) this.#records++;
      if (this.#records >= round) {
        this.#flush();
        round += recordsOfRound;
      }
    }
    this.#flush();
    return Uint8Array.from(this.#bytes);
  }

  #guest(dom: number, kind: Guest['kind'], vcpus: number): Guest {
    const levels = kind === 'hvm' ? 2 + this.#draws.below(3) : 4;
    const guest: Guest = { dom, kind, levels, vcpus: [] };
    const state = kind === 'idle' ? RUNNING : RUNNABLE;
    for (let number = 0; number < vcpus; number++) guest.vcpus.push({ guest, number, state, inExit: false });
    return guest;
  }

  /** Something happens on a pCPU. */
  #act(pcpu: HostPcpu): void {
    const draws = this.#draws;
    const { current } = pcpu;
    const { kind } = current.guest;
    const what = draws.weighted([
      [200, 'switch'],
      [100, 'wake'],
      [40, 'scheduler'],
      [20, 'interrupt'],
      [10, 'continue'],
      [10, 'memory'],
      [2, 'domains'],
      [500, 'guest'],
    ] as const);
    if (draws.chance(this.#recipe.stray)) this.#stray(pcpu);
    if (what === 'switch') this.#schedule(pcpu);
    else if (what === 'wake') this.#wake(pcpu);
    else if (what === 'scheduler') this.#any(pcpu, draws.pick([this.#schedulers, VERBOSE]));
    else if (what === 'interrupt') this.#any(pcpu, INTERRUPTS);
    else if (what === 'continue') this.#emit(pcpu, 0x21002, [vcpuWord(current)]);
    else if (what === 'memory') this.#any(pcpu, MEMORY);
    else if (what === 'domains') this.#any(pcpu, DOM0_OPERATIONS);
    else if (kind === 'idle') this.#idle(pcpu);
    else if (kind === 'pv') this.#pv(pcpu);
    else this.#hvm(pcpu);
  }

  /** Another vCPU comes onto the pCPU. */
  #schedule(pcpu: HostPcpu): void {
    const draws = this.#draws;
    const prev = pcpu.current;
    const runnable = this.#guests
      .filter(({ kind }) => kind !== 'idle')
      .flatMap(({ vcpus }) => vcpus)
      .filter(({ state }) => state === RUNNABLE);
    const idle = this.#guests[0].vcpus[pcpu.number];
    const next = runnable.length === 0 || draws.chance(0.2) ? idle : draws.pick(runnable);
    if (next === prev) return;
    const isIdle = prev === idle;
    const state = isIdle
      ? RUNNABLE
      : draws.weighted([
          [10, RUNNABLE],
          [10, BLOCKED],
          [1, OFFLINE],
        ]);
    if (prev.guest.kind === 'hvm' && !prev.inExit) this.#exit(pcpu, state === BLOCKED ? 'halt' : 'interrupt');
    if (draws.chance(0.3)) {
      this.#emitWords(pcpu, named('TRC_SCHED_SWITCH_INFPREV'));
      this.#emitWords(pcpu, named('TRC_SCHED_SWITCH_INFNEXT'));
      this.#emit(pcpu, 0x2800a, [prev.guest.dom, prev.number, next.guest.dom, next.number]);
    }
    this.#runstate(pcpu, prev, state);
    this.#runstate(pcpu, next, RUNNING);
    pcpu.current = next;
  }

  #wake(pcpu: HostPcpu): void {
    const asleep = this.#guests.flatMap(({ vcpus }) => vcpus).filter(({ state }) => state >= BLOCKED);
    if (asleep.length === 0) return;
    const vcpu = this.#draws.pick(asleep);
    if (this.#draws.chance(0.3)) this.#emit(pcpu, 0x28004, [vcpu.guest.dom, vcpu.number]);
    this.#runstate(pcpu, vcpu, RUNNABLE);
  }

  #runstate(pcpu: HostPcpu, vcpu: GuestVcpu, state: number): void {
    let from = vcpu.state;
    if (this.#draws.chance(this.#recipe.strange)) from = this.#draws.below(4);
    if (this.#draws.chance(this.#recipe.strange)) return;
    // Tracing with performance counters was a patch; xenalyze still reads what it made.
    const counters = this.#recipe.anyLayout && this.#draws.chance(0.02) ? [1, 2, 3, 4] : [];
    this.#emit(pcpu, 0x21001 + from * 0x100 + state * 0x10, [vcpuWord(vcpu), ...counters]);
    vcpu.state = state;
  }

  #idle(pcpu: HostPcpu): void {
    const draws = this.#draws;
    if (draws.chance(0.1)) this.#emitWords(pcpu, named('TRC_PM_FREQ_CHANGE'));
    else if (pcpu.cstate === 0) {
      pcpu.cstate = 1 + draws.below(6);
      this.#emit(pcpu, 0x801002, [pcpu.cstate, draws.u32(), draws.below(1000), draws.below(1000)]);
    } else {
      const state = draws.chance(0.1) ? draws.below(6) : pcpu.cstate;
      this.#emit(pcpu, 0x801003, [state, draws.u32(), draws.below(256), 0, 0, 0]);
      pcpu.cstate = 0;
    }
  }

  #pv(pcpu: HostPcpu): void {
    for (let n = this.#draws.below(4); n >= 0; n--) {
      if (this.#draws.chance(0.5)) this.#any(pcpu, PV);
      else this.#emit(pcpu, this.#draws.pick([HYPERCALL_V2, HYPERCALL_SUBCALL]), this.#hypercall());
    }
  }

  /** The number of a hypercall with which of its arguments there are, and those. */
  #hypercall(): number[] {
    const draws = this.#draws;
    const words = [draws.pick([1, 13, 20, 24, 26, 29, draws.below(40)])];
    for (let argument = 0; argument < 6 && draws.chance(0.8); argument++) {
      const present = draws.weighted([
        [1, 0],
        [5, 1],
        [3, 2],
      ]);
      if (words.length + present > 7) break;
      if (present === 0 && !this.#recipe.deliberate) break;
      words[0] += present * 2 ** (20 + 2 * argument);
      for (let word = 0; word < present; word++)
        words.push(draws.chance(0.7) ? draws.below(16) : draws.u32());
    }
    return words;
  }

  #hvm(pcpu: HostPcpu): void {
    const { current } = pcpu;
    if (current.inExit) this.#enter(pcpu);
    else {
      this.#exit(pcpu, 'any');
      if (this.#draws.chance(0.9)) this.#enter(pcpu);
    }
  }

  #exit(pcpu: HostPcpu, why: 'halt' | 'interrupt' | 'any'): void {
    const draws = this.#draws;
    const { guest } = pcpu.current;
    const { svm } = this.#recipe;
    if (draws.chance(0.01)) guest.levels = 2 + draws.below(3);
    let [reason, ...handlers] = draws.weighted(svm ? SVM_EXITS : VMX_EXITS);
    if (why === 'halt') [reason, handlers] = svm ? [120, ['HLT']] : [12, ['HLT']];
    if (why === 'interrupt') [reason, handlers] = svm ? [96, ['INTR']] : [1, ['INTR']];
    const wide = guest.levels === 4;
    const event = wide ? 'TRC_HVM_VMEXIT64' : 'TRC_HVM_VMEXIT';
    const words = this.#wordsOf(named(event));
    if (!draws.chance(0.01)) words[0] = reason;
    this.#emit(pcpu, named(event).id, words);
    pcpu.current.inExit = true;
    this.#handler(pcpu, draws.pick(handlers));
    if (draws.chance(0.03)) this.#any(pcpu, HANDLERS);
    if (draws.chance(0.1)) this.#any(pcpu, MEMORY);
  }

  #handler(pcpu: HostPcpu, name: string): void {
    const draws = this.#draws;
    if (name === '') return;
    if (name === 'shadow') this.#shadow(pcpu);
    else if (name === 'memory') this.#any(pcpu, MEMORY);
    else if (name === 'apic') this.#apic(pcpu);
    else if (name === 'CR_WRITE') this.#writeRegister(pcpu);
    else {
      const wide =
        pcpu.current.guest.levels === 4 && !draws.chance(0.02) && !/^IOPORT_(READ|WRITE)$/.test(name);
      const event = (wide && catalog.eventByName(`TRC_HVM_${name}64`)) || named(`TRC_HVM_${name}`);
      if (this.#recipe.deliberate || event.layouts.length > 0) this.#emitWords(pcpu, event);
    }
  }

  /** A control register, mostly the one that leads to the page tables, which shadow page tables follow. */
  #writeRegister(pcpu: HostPcpu): void {
    const draws = this.#draws;
    const register = draws.weighted([
      [8, 3],
      [2, 0],
      [2, 4],
      [1, this.#recipe.deliberate ? draws.below(16) : 8],
    ]);
    const value = BigInt(draws.below(12) * 4096);
    if (pcpu.current.guest.levels === 4) this.#emit(pcpu, CR_WRITE_64, [register, ...halves(value)], false);
    else this.#emit(pcpu, CR_WRITE, [register, Number(value)], false);
    const others = SHADOW.filter(({ id }) => (id & 0xff) >= 12);
    while (draws.chance(0.3)) this.#any(pcpu, others);
    if (this.#recipe.deliberate && draws.chance(0.05)) this.#emit(pcpu, OP_DESTROY_PROC, [], false);
  }

  #shadow(pcpu: HostPcpu): void {
    const draws = this.#draws;
    const { levels } = pcpu.current.guest;
    const level = draws.chance(0.02) ? draws.below(3) : levels - 2;
    const events = SHADOW.filter(({ id }) => ((id >> 8) & 15) === level);
    const { paddedFaults } = this.#recipe;
    const faults = events.filter(({ id }) => (id & 0xff) < 12 && !(paddedFaults && id === EMULATE_64));
    while (draws.chance(0.2))
      this.#any(
        pcpu,
        events.filter(({ id }) => (id & 0xff) >= 12),
      );
    this.#any(pcpu, faults);
    if (draws.chance(0.05)) this.#any(pcpu, events);
  }

  /** A guest's access to its interrupt controller: interrupts to other vCPUs, ends of interrupts. */
  #apic(pcpu: HostPcpu): void {
    const draws = this.#draws;
    const gpa = draws.pick([0xfee00300, 0xfee00300, 0xfee000b0, 0xfee00080, 0xa1234]);
    const vector = draws.pick([0xd1, 0xe1, 0x30 + draws.below(8)]);
    const data = vector | (draws.below(4) << 18) | (draws.below(2) << 12);
    const write = draws.pick([0, 0x200]);
    if (draws.chance(0.5)) this.#emit(pcpu, 0x82017 + write, [gpa, data], false);
    else this.#emit(pcpu, 0x82117 + write, [gpa, 0, data, 0], false);
  }

  #enter(pcpu: HostPcpu): void {
    const draws = this.#draws;
    const before = ['INJ_VIRQ', 'INJ_VIRQ', 'INJ_VIRQ', 'INJ_EXC', 'REINJ_VIRQ', 'INTR_WINDOW', 'PF_INJECT'];
    while (draws.chance(0.3)) this.#handler(pcpu, draws.pick(before));
    if (draws.chance(0.05)) this.#any(pcpu, EMULATION);
    this.#emit(pcpu, 0x81001, []);
    pcpu.current.inExit = false;
  }

  /** Records that have no place here: unknown ones, those of other classes of vCPUs. */
  #stray(pcpu: HostPcpu): void {
    const draws = this.#draws;
    const what = draws.below(this.#recipe.anyLayout ? 5 : 3);
    const isIdle = pcpu.current.guest.kind === 'idle';
    if (what === 0) this.#any(pcpu, isIdle ? [...PV, ...HANDLERS, ...SHADOW] : MEMORY);
    else if (what === 1)
      this.#any(
        pcpu,
        catalog.events.filter((event) => subclass(event) !== 1),
      );
    else if (what === 2)
      this.#emit(pcpu, (2 ** draws.below(8) * 65536 + draws.below(0x10000)) & ~0xf000, [draws.u32()]);
    else if (what === 3) this.#any(pcpu, FOREIGN);
    else this.#emit(pcpu, draws.u32() & 0xfffffff & ~0x1f000, [1, 2, 3]);
  }

  /** One of the events, whichever. */
  #any(pcpu: HostPcpu, events: readonly EventDefinition[]): void {
    const { deliberate, anyLayout } = this.#recipe;
    const fit = deliberate ? events : events.filter(({ name }) => !DELIBERATE.test(name));
    const known = anyLayout ? fit : fit.filter(({ layouts }) => layouts.some(isOf417));
    if (known.length > 0) this.#emitWords(pcpu, this.#draws.pick(known));
  }

  #emitWords(pcpu: HostPcpu, event: EventDefinition): void {
    const words = this.#wordsOf(event);
    if (this.#recipe.paddedFaults && PADDED_FAULTS.test(event.name) && words.length % 2 === 1) words.push(0);
    this.#emit(pcpu, event.id, words, event.tsc);
  }

  #wordsOf(event: EventDefinition): number[] {
    return randomWords(this.#draws, event, this, this.#recipe.anyLayout);
  }

  /** A record is made, or lost. */
  #emit(pcpu: HostPcpu, event: number, words: readonly number[], timed = true): void {
    const draws = this.#draws;
    const recipe = this.#recipe;
    // A vCPU leaves a pCPU before it comes to another.
    const isRunstate = (event & ~0xfff) === 0x21000;
    if (isRunstate || !draws.chance(recipe.sameTime)) this.#now += 1 + draws.below(recipe.cyclesOfStep);
    const tsc = recipe.tscBase + BigInt(1 + this.#now + pcpu.skew);
    this.#records++;
    if (pcpu.losing === 0 && draws.chance(recipe.lost)) pcpu.losing = 1 + draws.below(30);
    if (pcpu.losing > 0) {
      pcpu.losing--;
      if (pcpu.lostCount++ === 0) pcpu.lostTsc = tsc;
      return;
    }
    if (pcpu.lostCount > 0) {
      const { current } = pcpu;
      const who = current.guest.dom + current.number * 0x10000;
      pcpu.pending.push(record(0x1f001, tsc, [pcpu.lostCount, who, ...halves(pcpu.lostTsc)]));
      pcpu.lostCount = 0;
    }
    if (draws.chance(recipe.wrap)) {
      const stale = Array.from({ length: draws.below(8) }, () => draws.u32());
      pcpu.pending.push(record(0x1f002, undefined, stale));
    }
    let made = words;
    if (draws.chance(recipe.wrongWords))
      made = [...words, 0x11111111, 0x22222222, 0x33333333].slice(0, draws.below(8));
    pcpu.pending.push(record(event, timed ? tsc : undefined, made));
  }

  /** What xentrace does from time to time: a window for each pCPU that has records. */
  #flush(): void {
    for (const pcpu of this.#pcpus) {
      const { pending, number } = pcpu;
      if (pending.length === 0) continue;
      const cut = this.#draws.chance(0.1) ? this.#draws.below(pending.length) : 0;
      for (const records of [pending.slice(0, cut), pending.slice(cut)]) {
        if (records.length === 0) continue;
        const words = records.flat();
        this.#write([0x2001f003, number, words.length * 4, ...words]);
      }
      pcpu.pending = [];
    }
  }

  #write(words: readonly number[]): void {
    for (const word of words)
      this.#bytes.push(word & 255, (word >>> 8) & 255, (word >>> 16) & 255, (word >>> 24) & 255);
  }
}

function vcpuWord({ guest, number }: GuestVcpu): number {
  return guest.dom * 0x10000 + number;
}

function halves(value: bigint): [number, number] {
  return [Number(value & 0xffffffffn), Number((value >> 32n) & 0xffffffffn)];
}

function record(event: number, tsc: bigint | undefined, words: readonly number[]): number[] {
  const extra = Math.min(words.length, 7);
  const header = event + extra * 0x10000000;
  return tsc === undefined
    ? [header, ...words.slice(0, 7)]
    : [header + 0x80000000, ...halves(tsc), ...words.slice(0, 7)];
}
