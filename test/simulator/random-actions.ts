import { Prng } from '../../src/base/prng.ts';
import type { Action, Command, CpupoolSpec, Scenario, SchedulerName } from '../../src/scenario/index.ts';
import { XEN_SERIES } from '../../src/scenario/xen-versions.ts';
import { randomScenario } from './scenarios.ts';

export const SCHEDULERS = ['credit', 'credit2', 'rtds', 'null', 'arinc653'] as const;

/** A random scenario in which the toolstack is busy: the same for the same seed. Some of what it asks is refused. */
export function randomActions(seed: number): Scenario {
  const prng = Prng.fromSeed(seed).fork('actions');
  const pick = <T>(choices: readonly T[]): T => choices[prng.below(choices.length)]!;
  const features = {
    caps: seed % 3 === 0,
    affinity: seed % 2 === 0,
    yields: seed % 5 === 0,
    xen: pick(['4.17', '4.18', '4.20', 'head']),
  };
  const base = randomScenario(seed, features);
  const { pcpus } = base.host;
  const scheduler: SchedulerName = SCHEDULERS[seed % SCHEDULERS.length]!;
  const cpupools: CpupoolSpec[] = [];
  let free = Array.from({ length: pcpus }, (_, pcpu) => pcpu).slice(1);
  for (const name of ['p', 'q']) {
    const taken = free.filter(() => prng.below(3) === 0);
    if (taken.length > 0) cpupools.push({ name, scheduler: pick(SCHEDULERS), pcpus: taken });
    free = free.filter((pcpu) => !taken.includes(pcpu));
  }
  const domains = base.domains.map((domain) => {
    const pool = prng.below(2) === 0 ? undefined : pick([undefined, ...cpupools]);
    const outside = (list: readonly number[] | undefined) =>
      list !== undefined && pool !== undefined && !list.some((pcpu) => pool.pcpus.includes(pcpu));
    const vcpus = domain.vcpus.map((vcpu) => {
      const inPool0 = vcpu.hardAffinity?.some((pcpu) => pcpu === 0) ?? true;
      return (pool === undefined && !inPool0) || outside(vcpu.hardAffinity)
        ? { ...vcpu, hardAffinity: undefined }
        : vcpu;
    });
    return { ...domain, vcpus, ...(pool && { cpupool: pool.name }) };
  });
  const names = ['Pool-0', ...cpupools.map(({ name }) => name), 'late'];
  const actions: Action[] = [];
  const count = 5 + prng.below(40);
  for (let i = 0; i < count; i += 1) {
    const atNs = prng.below(3) === 0 ? 10_000_000 * (1 + prng.below(48)) : prng.uniformNs(1, 490_000_000);
    actions.push({ atNs, command: randomCommand(prng, base, pcpus, names) });
  }
  actions.sort((a, b) => a.atNs - b.atNs);
  const arinc653 = {
    majorFrameNs: 20_000_000,
    entries: domains.flatMap(({ id, vcpus }) =>
      vcpus.map((_, vcpu) => ({ dom: id, vcpu, runtimeNs: 900_000 })),
    ),
  };
  return { ...base, scheduler, cpupools, domains, actions, arinc653 };
}

const OLDER_SCHEDULERS = [
  'credit',
  'credit',
  'rtds',
  'bcredit',
  'sedf',
  'rtglobal',
  'rtpartition',
  'rtxen',
] as const;

/** The same of any release, with any schedulers, of which the release may not have all. */
export function randomActionsOfAnyRelease(seed: number): Scenario {
  const prng = Prng.fromSeed(seed).fork('release');
  const pick = <T>(choices: readonly T[]): T => choices[prng.below(choices.length)]!;
  const scheduler = () => pick([...OLDER_SCHEDULERS, 'arinc653', 'null', 'credit2'] as const);
  const base = randomActions(seed);
  const cpupools = base.cpupools!.map((pool) => ({ ...pool, scheduler: scheduler() }));
  const domains = base.domains.map((domain) => ({
    ...domain,
    vcpus: domain.vcpus.map((vcpu) => ({ ...vcpu, softAffinity: undefined })),
  }));
  return { ...base, xen: pick(XEN_SERIES), scheduler: scheduler(), cpupools, domains };
}

function randomCommand(prng: Prng, { domains }: Scenario, pcpus: number, names: readonly string[]): Command {
  const pick = <T>(choices: readonly T[]): T => choices[prng.below(choices.length)]!;
  const maybe = <T>(value: T): T | undefined => (prng.below(2) === 0 ? value : undefined);
  const { id: dom, vcpus } = pick(domains);
  const vcpu = maybe(prng.below(vcpus.length));
  const somePcpus = () => Array.from({ length: pcpus }, (_, pcpu) => pcpu).filter(() => prng.below(2) === 0);
  const cpupool = pick(names);
  const pcpu = prng.below(pcpus);
  const text = (kind: string) => `${kind} ${dom} ${cpupool} ${pcpu}`;
  const periodUs = 1000 * (1 + prng.below(20));
  const choices: (() => Command)[] = [
    () => ({
      text: '',
      kind: 'sched-domain',
      scheduler: pick(SCHEDULERS),
      dom,
      weight: maybe(1 + prng.below(1000)),
      cap: maybe(prng.below(3) * 30),
    }),
    () => ({
      text: '',
      kind: 'sched-vcpu',
      dom,
      vcpu,
      periodUs,
      budgetUs: 10 + prng.below(periodUs),
      extratime: maybe(prng.below(2) === 0),
    }),
    () => ({
      text: '',
      kind: 'sched-pool',
      scheduler: pick(['credit', 'credit2']),
      cpupool,
      tsliceMs: maybe(1 + prng.below(30)),
      ratelimitUs: maybe(pick([0, 100, 1000, 5000])),
      migrationDelayUs: maybe(100),
    }),
    () => ({
      text: '',
      kind: 'vcpu-pin',
      dom,
      vcpu,
      hard: maybe([...somePcpus(), pcpu].sort((a, b) => a - b)),
      soft: maybe([pcpu]),
    }),
    () => ({ text: '', kind: pick(['pause', 'unpause']), dom }),
    () => ({ text: '', kind: 'unpause', dom }),
    () => ({ text: '', kind: pick(['create', 'create', 'destroy']), dom }),
    () => ({ text: '', kind: 'vcpu-set', dom, count: 1 + prng.below(vcpus.length) }),
    () => ({ text: '', kind: 'cpupool-create', cpupool: 'late', scheduler: pick(SCHEDULERS), pcpus: [pcpu] }),
    () => ({ text: '', kind: 'cpupool-destroy', cpupool }),
    () => ({ text: '', kind: pick(['cpupool-cpu-add', 'cpupool-cpu-remove']), cpupool, pcpus: [pcpu] }),
    () => ({ text: '', kind: 'cpupool-migrate', dom, cpupool }),
    () => ({ text: '', kind: 'cpupool-migrate', dom, cpupool: 'Pool-0' }),
  ];
  const command = pick(choices)();
  return { ...command, text: text(command.kind) };
}
