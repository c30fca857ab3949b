/**
 * Every scheduler under a toolstack that does anything at any time: parameters, affinities, pauses, domains that come
 * and go, pCPUs that change pools. CONTRACT_SEED=17 npx vitest run test/contract/actions -t 'credit2 ' runs one again.
 */
import { describe, expect, test } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import type { Action, Command, Scenario } from '../../src/scenario/scenario.ts';
import { PRIORITY_SCHEMES, SERVER_KINDS } from '../../src/scenario/server-words.ts';
import type { XenSeries } from '../../src/scenario/xen-versions.ts';
import { isModelled, schedulers } from '../../src/simulator/index.ts';
import { whyNoXenalyze, xenalyzeRemarks } from '../recorder/xenalyze.ts';
import { hostOf, scenarioOf, vcpuOf } from '../simulator/scenarios.ts';
import { drawScenario } from './draw.ts';
import { since } from './law.ts';
import { laws } from './laws.ts';
import { type Checker, type Host, observe, type SeenVcpu } from './observe.ts';
import { traceProblem } from './trace-laws.ts';

const { CONTRACT_SEED, CONTRACT_SEEDS } = process.env;
const SEEDS =
  CONTRACT_SEED === undefined
    ? Array.from({ length: Number(CONTRACT_SEEDS ?? 100) }, (_, i) => i + 1)
    : [Number(CONTRACT_SEED)];

type Untold = Command extends infer C ? (C extends { text: string } ? Omit<C, 'text'> : never) : never;

/**
 * A scenario of the contract, of a version that has all commands if there is one, with commands at random.
 */
function drawActions(entry: (typeof schedulers)[number], seed: number): Scenario {
  const base = drawScenario(entry, seed).scenario;
  const scenario: Scenario = {
    ...base,
    xen: entry.until ?? (seed % 2 === 0 ? '4.17' : 'head'),
    durationNs: 150_000_000,
    trace: { ...base.trace, endNs: 150_000_000 },
  };
  const prng = Prng.fromSeed(seed).fork(`actions/${entry.name}`);
  const pick = <T>(choices: readonly T[]): T => choices[prng.below(choices.length)]!;
  const { pcpus } = scenario.host;
  const companions = schedulers.filter((one) => isModelled(one, scenario.xen as XenSeries));
  const some = () => {
    const list = Array.from({ length: pcpus }, (_, pcpu) => pcpu).filter(() => prng.below(2) === 0);
    return list.length > 0 ? list : [prng.below(pcpus)];
  };
  const maybe = <T>(value: T) => (prng.below(2) === 0 ? value : undefined);
  const hasGroups = entry.name === 'credit' && seed % 2 === 0;
  const hasSoft = since(scenario, '4.5');
  const hasPools = pcpus > 1 && seed % 3 === 0 && since(scenario, '4.1');
  const isMortal = seed % 4 === 1;
  const command = (): Untold => {
    const domain = pick(scenario.domains);
    const dom = domain.id;
    const vcpu = maybe(prng.below(domain.vcpus.length));
    const scheduler = entry.name;
    const cpupool = pick(['Pool-0', 'other']);
    const sedf = (): Untold => {
      const weight = maybe(1 + prng.below(5));
      const times =
        weight === undefined ? [1_000_000 * (1 + prng.below(20)), 100_000 * prng.below(10)] : [0, 0];
      const [periodNs, sliceNs] = times.map(maybe);
      return {
        kind: 'sched-sedf',
        dom,
        sedf: { periodNs, sliceNs, extratime: maybe(prng.below(2) === 0), weight },
      };
    };
    const isRtXen = scheduler === 'rtxen' || scheduler === 'rtglobal' || scheduler === 'rtpartition';
    const server = (): Untold => ({
      kind: 'sched-server',
      scheduler,
      dom,
      vcpu,
      server: {
        periodUs: maybe(1000 * (5 + prng.below(20))),
        budgetUs: maybe(1000 * (1 + prng.below(8))),
        priority: maybe(prng.below(3)),
        serverKind: maybe(pick(SERVER_KINDS)),
        extratime: maybe(prng.below(2) === 0),
      },
    });
    const servers = (): Untold => ({
      kind: 'sched-pool',
      scheduler,
      cpupool,
      tsliceMs: undefined,
      ratelimitUs: undefined,
      migrationDelayUs: undefined,
      serverKind: maybe(pick(SERVER_KINDS)),
      scheme: maybe(pick(PRIORITY_SCHEMES)),
    });
    const kinds: readonly (() => Untold)[] = [
      () => ({
        kind: 'sched-domain',
        scheduler,
        dom,
        weight: maybe(1 + prng.below(1000)),
        cap: seed % 2 === 0 ? undefined : maybe(pick([0, 20, 70])),
        ...(scheduler === 'bcredit' && {
          maxBoostPeriodMs: maybe(pick([0, 29, 30, 500])),
          boostRatio: maybe(pick([0, 20, 120])),
        }),
      }),
      () => ({
        kind: 'sched-vcpu',
        dom,
        vcpu,
        periodUs: 1000 * (1 + prng.below(20)),
        budgetUs: 100 * (1 + prng.below(10)),
        extratime: maybe(prng.below(2) === 0),
      }),
      () => ({ kind: 'vcpu-pin', dom, vcpu, hard: maybe(some()), soft: hasSoft ? maybe(some()) : undefined }),
      () => ({ kind: 'pause', dom }),
      () => ({ kind: 'unpause', dom }),
      () => ({ kind: 'unpause', dom }),
      () => ({ kind: 'vcpu-set', dom, count: 1 + prng.below(domain.vcpus.length) }),
      ...(scheduler === 'sedf' ? [sedf, sedf] : []),
      ...(isRtXen ? [server, server, servers] : []),
    ];
    const member = pick(scenario.domains).id;
    const groups: readonly (() => Untold)[] = [
      () => ({ kind: 'nemesis', action: 'add', dom, member }),
      () => ({ kind: 'nemesis', action: 'add', dom, member }),
      () => ({ kind: 'nemesis', action: pick(['remove', 'destroy']), dom, member }),
    ];
    const mortal: readonly (() => Untold)[] = [
      () => ({ kind: 'destroy', dom }),
      () => ({ kind: 'create', dom }),
    ];
    const pools: readonly (() => Untold)[] = [
      () => ({
        kind: 'cpupool-create',
        cpupool: 'other',
        scheduler: pick(companions).name,
        pcpus: [],
      }),
      () => ({ kind: 'cpupool-cpu-remove', cpupool, pcpus: [prng.below(pcpus)] }),
      () => ({ kind: 'cpupool-cpu-add', cpupool, pcpus: [prng.below(pcpus)] }),
      () => ({ kind: 'cpupool-migrate', dom, cpupool }),
      () => ({ kind: 'cpupool-destroy', cpupool: 'other' }),
    ];
    return pick([
      ...kinds,
      ...(hasGroups ? groups : []),
      ...(isMortal ? mortal : []),
      ...(hasPools ? [...pools, ...pools] : []),
    ])();
  };
  const times = Array.from({ length: 5 + prng.below(40) }, () => prng.uniformNs(0, 150_000_000));
  const actions = times
    .sort((a, b) => a - b)
    .map((atNs, i): Action => {
      const made = command();
      return { atNs, command: { ...made, text: `#${i} ${made.kind}` } as Command };
    });
  return { ...scenario, actions };
}

/** Follows what was commanded and not refused, and holds who runs to it. */
class Commanded implements Checker {
  readonly #scenario: Scenario;
  readonly #refused = new Set<string>();
  readonly #paused = new Map<number, number>();
  readonly #gone = new Set<number>();
  readonly #poolOfDom = new Map<number, string>();
  readonly #poolOfPcpu: (string | undefined)[];
  readonly #hard = new Map<SeenVcpu, readonly number[] | undefined>();
  readonly #hasPools: boolean;
  #next = 0;
  obeyed = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#poolOfPcpu = Array.from({ length: scenario.host.pcpus }, () => 'Pool-0');
    const first = new Map<number, string>();
    for (const { command } of scenario.actions ?? []) {
      if ((command?.kind === 'create' || command?.kind === 'destroy') && !first.has(command.dom))
        first.set(command.dom, command.kind);
    }
    for (const [dom, kind] of first) if (kind === 'create') this.#gone.add(dom);
    this.#hasPools = (scenario.actions ?? []).some(({ command }) => command?.kind.startsWith('cpupool'));
  }

  refused(command: string): void {
    this.#refused.add(command);
  }

  rest(host: Host, nowNs: number): string | undefined {
    const actions = this.#scenario.actions ?? [];
    for (; actions[this.#next] !== undefined && actions[this.#next]!.atNs <= nowNs; this.#next += 1) {
      const { command } = actions[this.#next]!;
      if (command === undefined || this.#refused.has(command.text)) continue;
      this.obeyed += 1;
      this.#obey(host, command);
    }
    for (const [pcpu, vcpu] of host.on.entries()) {
      if (vcpu === undefined) continue;
      const { name, dom } = vcpu;
      if (this.#gone.has(dom)) return `${name} runs and is not there`;
      if ((this.#paused.get(dom) ?? 0) > 0) return `${name} runs and is paused`;
      const mine = this.#poolOfDom.get(dom) ?? 'Pool-0';
      const pools = `${name} of ${mine} runs on pCPU ${pcpu} of ${this.#poolOfPcpu[pcpu] ?? 'no pool'}`;
      if (this.#poolOfPcpu[pcpu] !== mine) return pools;
      const hard = this.#hard.has(vcpu)
        ? this.#hard.get(vcpu)
        : this.#scenario.domains.find(({ id }) => id === dom)!.vcpus[vcpu.vcpu]!.hardAffinity;
      // Xen lets go of an affinity that a pool leaves nothing of; ARINC653 never looks at it.
      const isPinned = !this.#hasPools && this.#scenario.scheduler !== 'arinc653' && hard !== undefined;
      if (isPinned && !hard.includes(pcpu)) return `${name} runs on pCPU ${pcpu}, its affinity is ${hard}`;
    }
    return undefined;
  }

  /** Until 4.4 Xen only remembers that a domain is paused, however often it was. */
  #pause(dom: number, change: number): void {
    const most = since(this.#scenario, '4.5') ? Infinity : 1;
    this.#paused.set(dom, Math.min((this.#paused.get(dom) ?? 0) + change, most));
  }

  #obey({ vcpus }: Host, command: Command): void {
    switch (command.kind) {
      case 'pause':
        this.#pause(command.dom, 1);
        break;
      case 'unpause':
        this.#pause(command.dom, -1);
        break;
      case 'destroy':
        this.#gone.add(command.dom);
        this.#poolOfDom.delete(command.dom);
        break;
      case 'create':
        this.#gone.delete(command.dom);
        this.#paused.delete(command.dom);
        for (const vcpu of vcpus) if (vcpu.dom === command.dom) this.#hard.delete(vcpu);
        break;
      case 'vcpu-pin':
        if (command.hard === undefined) break;
        for (const vcpu of vcpus) {
          if (vcpu.dom === command.dom && (command.vcpu ?? vcpu.vcpu) === vcpu.vcpu)
            this.#hard.set(vcpu, command.hard);
        }
        break;
      case 'cpupool-migrate':
        this.#poolOfDom.set(command.dom, command.cpupool);
        break;
      case 'cpupool-create':
      case 'cpupool-cpu-add':
        for (const pcpu of command.pcpus) this.#poolOfPcpu[pcpu] = command.cpupool;
        break;
      case 'cpupool-cpu-remove':
        for (const pcpu of command.pcpus) this.#poolOfPcpu[pcpu] = undefined;
        break;
    }
  }
}

/** An unparked vCPU of credit2 goes from offline to running, of which xenalyze makes a remark. */
function hasCredit2Caps({ scheduler, domains, actions = [] }: Scenario): boolean {
  const commands = actions.flatMap(({ command }) => command ?? []);
  const isThere = commands.some((command) => {
    return command.kind === 'cpupool-create' && command.scheduler === 'credit2';
  });
  const isCapped = commands.some((command) => command.kind === 'sched-domain' && (command.cap ?? 0) > 0);
  return (scheduler === 'credit2' || isThere) && (isCapped || domains.some(({ cap }) => cap !== undefined));
}

/** Laws that hold whatever the toolstack does. */
const always = laws.filter(({ name }) => name.startsWith('who is current'));

describe.each(schedulers)('$name', (entry) => {
  let obeyed = 0;

  test.each(SEEDS)(`${entry.name} obeys the toolstack: seed %i`, async (seed) => {
    const scenario = drawActions(entry, seed);
    const replay = `CONTRACT_SEED=${seed} npx vitest run test/contract/actions -t '${entry.name} '`;
    const commanded = new Commanded(scenario);
    const run = observe(scenario, [commanded, ...always.map((law) => law.create(scenario))]);
    expect(run.problems, replay).toEqual([]);
    for (const [pcpu, busyNs] of run.busyNs.entries()) {
      expect(busyNs + run.idleNs[pcpu]!, replay).toBe(scenario.durationNs);
    }
    obeyed += commanded.obeyed;
    expect(await traceProblem(run), replay).toBeUndefined();
    const again = observe(drawActions(entry, seed));
    expect(Buffer.compare(again.trace, run.trace), replay).toBe(0);
  });

  test.skipIf(whyNoXenalyze)(`${entry.name} leaves traces that xenalyze reads without a remark`, () => {
    let read = 0;
    for (const seed of SEEDS) {
      if (read === 8) break;
      const scenario = drawActions(entry, seed);
      if (scenario.host.tscHz !== 1e9 || hasCredit2Caps(scenario)) continue;
      expect(xenalyzeRemarks(observe(scenario).trace), `seed ${seed}`).toEqual([]);
      read += 1;
    }
    if (CONTRACT_SEED === undefined) expect(read).toBe(8);
  });

  test.skipIf(CONTRACT_SEED !== undefined)('most commands are not refused', () => {
    expect(obeyed).toBeGreaterThan(5 * SEEDS.length);
  });
});

describe('a toolstack that is not obeyed is noticed', () => {
  const hog = vcpuOf({ kind: 'hog', offsetNs: 0 });
  const at = (atMs: number, command: object): Action => {
    return { atNs: atMs * 1_000_000, command: { text: `#${atMs}`, ...command } as unknown as Command };
  };
  const base = scenarioOf([[hog, hog, hog]], { durationNs: 100_000_000, host: hostOf({ pcpus: 2 }) });
  const said = (believed: readonly Action[]) => {
    return observe(base, [new Commanded({ ...base, actions: believed })]).problems;
  };

  test.each([
    ['is paused', at(10, { kind: 'pause', dom: 1 })],
    ['is not there', at(10, { kind: 'destroy', dom: 1 })],
    ['its affinity is 1', at(10, { kind: 'vcpu-pin', dom: 1, vcpu: 0, hard: [1] })],
    ['of no pool', at(10, { kind: 'cpupool-cpu-remove', cpupool: 'Pool-0', pcpus: [1] })],
    ['of other runs', at(10, { kind: 'cpupool-migrate', dom: 1, cpupool: 'other' })],
  ])('%s', (complaint, command) => {
    expect(said([command]).join()).toContain(complaint);
    expect(said([])).toEqual([]);
  });
});
