import { WINDOW_HEADER } from '../../src/format/record.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { DOMID_IDLE, Simulation, type SimulationHooks, type VcpuTimes } from '../../src/simulator/index.ts';
import { MemorySink } from '../simulator/memory-sink.ts';

export const RUNNING = 0;
export const RUNNABLE = 1;
export const BLOCKED = 2;
export const OFFLINE = 3;

/** A vCPU as it is seen from outside. */
export interface SeenVcpu {
  readonly name: string;
  readonly dom: number;
  readonly vcpu: number;
  state: number;
  /** Since when it has been in `state`. */
  sinceNs: number;
  /** Where it runs, or ran last; -1 before its first time. */
  pcpu: number;
  /** CPU time up to the present. */
  runNs: number;
  /** Each time that it came to another state: when, and to which. */
  readonly history: { readonly tNs: number; readonly to: number }[];
}

/** The host as it is seen from outside, between two instants. */
export interface Host {
  readonly vcpus: readonly SeenVcpu[];
  /** Who runs on each pCPU; undefined where it idles. */
  readonly on: readonly (SeenVcpu | undefined)[];
}

/**
 * Something that must hold of a run. It sees instants only: `rest` is called when everything of an instant
 * has happened and time goes on to `untilNs`. It answers with what is wrong.
 */
export interface Checker {
  rest?(host: Host, nowNs: number, untilNs: number): string | undefined;
  switched?(host: Host, tNs: number, pcpu: number, next: SeenVcpu | undefined): string | undefined;
  /** Xen, or xl, refuses a command at this instant. */
  refused?(command: string): void;
  end?(run: ObservedRun): string | undefined;
}

export interface ObservedRun {
  readonly scenario: Scenario;
  readonly host: Host;
  readonly times: readonly VcpuTimes[];
  /** The file that xentrace would have written. */
  readonly trace: Uint8Array;
  /** Every context switch as "t pCPU dom vCPU". */
  readonly switches: readonly string[];
  readonly busyNs: readonly number[];
  readonly idleNs: readonly number[];
  /** At how many instants something happened. */
  readonly instants: number;
  readonly problems: readonly string[];
}

/** Domains that the toolstack creates or destroys while the host runs. */
export function mortalDomains({ actions = [] }: Scenario): Set<number> {
  const doms = actions.flatMap(({ command }) => {
    return command?.kind === 'create' || command?.kind === 'destroy' ? [command.dom] : [];
  });
  return new Set(doms);
}

const PROBLEMS_MAX = 5;

/** The hooks of a run: keeps the picture of the host, and asks the checkers. */
class Observer implements SimulationHooks, Host {
  readonly vcpus: SeenVcpu[] = [];
  readonly on: (SeenVcpu | undefined)[];
  readonly problems: string[] = [];
  readonly switches: string[] = [];
  readonly busyNs: number[];
  readonly idleNs: number[];
  instants = 0;
  readonly #byId = new Map<number, SeenVcpu>();
  /** Domains that come or go: a new one's vCPUs are not in the state of those before. */
  readonly #mortal: ReadonlySet<number>;
  readonly #checkers: readonly Checker[];
  #nowNs = 0;

  constructor(scenario: Scenario, checkers: readonly Checker[]) {
    const { pcpus } = scenario.host;
    this.#checkers = checkers;
    this.on = Array.from({ length: pcpus }, () => undefined);
    this.busyNs = Array.from({ length: pcpus }, () => 0);
    this.idleNs = Array.from({ length: pcpus }, () => 0);
    this.#mortal = mortalDomains(scenario);
    for (const { id: dom, vcpus } of scenario.domains) {
      for (const vcpu of vcpus.keys()) {
        const name = `d${dom}v${vcpu}`;
        const seen = { name, dom, vcpu, state: BLOCKED, sinceNs: 0, pcpu: -1, runNs: 0, history: [] };
        this.vcpus.push(seen);
        this.#byId.set(dom * 65_536 + vcpu, seen);
      }
    }
  }

  onSwitch(tNs: number, pcpu: number, dom: number, vcpu: number): void {
    this.advance(tNs);
    const next = dom === DOMID_IDLE ? undefined : this.#byId.get(dom * 65_536 + vcpu);
    this.switches.push(`${tNs} ${pcpu} ${dom} ${dom === DOMID_IDLE ? '' : vcpu}`);
    if (dom === DOMID_IDLE && vcpu !== pcpu) this.complain(`pCPU ${pcpu} runs the idle vCPU of ${vcpu}`);
    const elsewhere = next === undefined ? -1 : this.on.indexOf(next);
    if (elsewhere >= 0) this.complain(`${next!.name} enters pCPU ${pcpu} while on ${elsewhere}`);
    this.on[pcpu] = next;
    if (next !== undefined) next.pcpu = pcpu;
    for (const checker of this.#checkers) this.complain(checker.switched?.(this, tNs, pcpu, next));
  }

  onRunstate(tNs: number, _pcpu: number, dom: number, vcpu: number, from: number, to: number): void {
    this.advance(tNs);
    if (dom === DOMID_IDLE) return;
    const seen = this.#byId.get(dom * 65_536 + vcpu)!;
    if (seen.state !== from && !this.#mortal.has(dom))
      this.complain(`${seen.name} leaves ${from}, it was in ${seen.state}`);
    seen.state = to;
    seen.sinceNs = tNs;
    seen.history.push({ tNs, to });
  }

  onRefusal(tNs: number, command: string): void {
    this.advance(tNs);
    for (const checker of this.#checkers) checker.refused?.(command);
  }

  /** Time goes on: what stands now stands until `tNs`. */
  advance(tNs: number): void {
    const nowNs = this.#nowNs;
    if (tNs < nowNs) this.complain('time runs back');
    if (tNs <= nowNs) return;
    this.instants += 1;
    for (const checker of this.#checkers) this.complain(checker.rest?.(this, nowNs, tNs));
    for (const [pcpu, vcpu] of this.on.entries()) {
      const into = vcpu === undefined ? this.idleNs : this.busyNs;
      into[pcpu]! += tNs - nowNs;
    }
    for (const vcpu of this.vcpus) if (vcpu.state === RUNNING) vcpu.runNs += tNs - nowNs;
    this.#nowNs = tNs;
  }

  complain(text: string | undefined): void {
    if (text !== undefined && this.problems.length < PROBLEMS_MAX) {
      this.problems.push(`at ${this.#nowNs} ns: ${text}`);
    }
  }
}

/** Runs a scenario with checkers beside it, and records it. */
export function observe(scenario: Scenario, checkers: readonly Checker[] = []): ObservedRun {
  const { pcpus } = scenario.host;
  const sink = new MemorySink(pcpus, scenario.trace.eventMask);
  const observer = new Observer(scenario, checkers);
  const simulation = new Simulation(scenario, sink, { hooks: observer });
  const windows: Uint8Array[] = [];
  const step = scenario.trace.flushNs;
  for (let t = step; t < scenario.durationNs + step; t += step) {
    simulation.runUntil(Math.min(t, scenario.durationNs));
    for (let pcpu = 0; pcpu < pcpus; pcpu += 1) {
      const words = sink.drain(pcpu);
      if (words.length === 0) continue;
      windows.push(bytesOf(Uint32Array.of(WINDOW_HEADER, pcpu, words.byteLength)), bytesOf(words));
    }
  }
  observer.advance(scenario.durationNs);
  const { switches, busyNs, idleNs, instants, problems } = observer;
  const run: ObservedRun = {
    scenario,
    host: observer,
    times: simulation.vcpuTimes(),
    trace: Buffer.concat(windows),
    switches,
    busyNs,
    idleNs,
    instants,
    problems,
  };
  for (const checker of checkers) observer.complain(checker.end?.(run));
  return run;
}

function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}
