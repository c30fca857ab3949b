import {
  DOMAIN_ID_MAX,
  DOMAIN_KEYS,
  RTDS_KEYS,
  SERVER_KEYS,
  SETTING_KEYS,
  VCPU_KEYS,
  VCPUS_PER_DOMAIN_MAX,
} from './keys.ts';
import { describeLocated, type Located } from './located.ts';
import type { PcpuList } from './pcpu-list.ts';
import type { Problems } from './problems.ts';
import { quote } from './quote.ts';
import { type Found, type Key, readKeys, unknownWord, Values, vocabulary } from './read-keys.ts';
import { itemsOf } from './resolve-arinc653.ts';
import { resolveGuest } from './resolve-guest.ts';
import { type PendingRequest, resolveRequests } from './resolve-requests.ts';
import type {
  DomainSettings,
  DomainSpec,
  RtdsParameters,
  ServerParameters,
  VcpuSpec,
  Workload,
} from './scenario.ts';
import { resolveSedf } from './sedf-keys.ts';
import { WORKLOAD_FORMS, workloadType } from './workload-language.ts';

/** No scenario has more vCPUs in all: a bound for memory, far beyond any host. */
const VCPUS_MAX = 65_536;

const DOMAIN_WORDS = vocabulary(Object.values(DOMAIN_KEYS));
const VCPU_WORDS = vocabulary(Object.values(VCPU_KEYS), Object.values(SERVER_KEYS));
const SETTING_WORDS = vocabulary(Object.values(SETTING_KEYS));
const SERVER_WORDS = vocabulary(Object.values(SERVER_KEYS));
const RTDS_WORDS = vocabulary(Object.values(RTDS_KEYS));

/** By domain id: where its pool is named. */
export type GivenPools = Map<number, Found<string>>;

/**
 * Reads the list of domains. `pcpus` is undefined when the host is not known; affinities are then not
 * checked.
 */
export function resolveDomains(
  list: Located,
  pcpus: number | undefined,
  problems: Problems,
  givenPools: GivenPools = new Map(),
): DomainSpec[] {
  if (list.kind !== 'list') {
    problems.add(
      'scenario-bad-value',
      list.at,
      `"domains" is ${describeLocated(list)}, expected a list of domains`,
    );
    return [];
  }
  const domains: DomainSpec[] = [];
  const requestsOf = new Map<DomainSpec, PendingRequest[]>();
  const lineOfId = new Map<number, number>();
  const givenMasters = new Map<number, Found<string>>();
  let nextId = 1;
  let vcpusLeft = VCPUS_MAX;
  for (const node of list.items) {
    const values = new Values();
    readKeys(node, 'a domain', DOMAIN_WORDS, values, problems);
    if (node.kind !== 'map') continue;
    const idGiven = values.get(DOMAIN_KEYS.id);
    const id = idGiven?.value ?? nextId;
    const idAt = idGiven?.at ?? node.at;
    nextId = id + 1;
    const earlier = lineOfId.get(id);
    // A broken id has no number of its own to collide with.
    if (earlier !== undefined && !values.isBroken(DOMAIN_KEYS.id)) {
      problems.add('scenario-conflict', idAt, `domain id ${id} is already taken in line ${earlier}`);
    } else if (id > DOMAIN_ID_MAX) {
      problems.add('scenario-bad-value', idAt, `domain id ${id} is beyond the last, ${DOMAIN_ID_MAX}`);
    }
    lineOfId.set(id, problems.positionAt(idAt).line);
    const vcpus = resolveVcpus(node, values, pcpus, vcpusLeft, problems);
    vcpusLeft -= vcpus.length;
    checkCap(values, vcpus, problems);
    const cpupool = values.get(DOMAIN_KEYS.cpupool);
    if (cpupool !== undefined) givenPools.set(id, cpupool);
    const sedf = resolveSedf(values.get(DOMAIN_KEYS.sedf), problems);
    const requests: PendingRequest[] = [];
    const guest = resolveGuest(values.get(DOMAIN_KEYS.guest), vcpus, problems, requests);
    const master = values.get(DOMAIN_KEYS.schedulingDomain);
    if (master !== undefined) givenMasters.set(id, master);
    domains.push({
      id,
      name: values.value(DOMAIN_KEYS.name) ?? `d${id}`,
      weight: values.value(DOMAIN_KEYS.weight),
      cap: values.value(DOMAIN_KEYS.cap),
      ...(sedf && { sedf }),
      ...(values.get(DOMAIN_KEYS.extratime) && { extratime: values.value(DOMAIN_KEYS.extratime) }),
      maxBoostPeriodMs: values.value(DOMAIN_KEYS.maxBoostPeriod),
      boostRatio: values.value(DOMAIN_KEYS.boostRatio),
      ...resolveAdjust(values.get(DOMAIN_KEYS.adjust), problems),
      ...(cpupool && { cpupool: cpupool.value }),
      ...(guest && { guest }),
      vcpus,
    });
    requestsOf.set(domains.at(-1)!, requests);
  }
  for (const [domain, requests] of requestsOf) resolveRequests(domain, requests, domains, problems);
  return domains.map((domain) => {
    const given = givenMasters.get(domain.id);
    const master = given && resolveMaster(given, domain, domains, givenMasters, problems);
    return master === undefined ? domain : { ...domain, schedulingDomain: master };
  });
}

/** Whose time slices a domain shares: those of one that has its own. */
function resolveMaster(
  given: Found<string>,
  domain: DomainSpec,
  domains: readonly DomainSpec[],
  givenMasters: ReadonlyMap<number, Found<string>>,
  problems: Problems,
): number | undefined {
  const { value, at, name } = given;
  const master = domains.find((one) => one.name === value) ?? domains.find(({ id }) => String(id) === value);
  if (master === undefined) {
    const names = domains.filter((one) => one !== domain).map((one) => one.name);
    problems.add('scenario-bad-value', at, unknownWord('domain', value, names));
  } else if (master.id === domain.id || givenMasters.has(master.id)) {
    const why = master.id === domain.id ? 'that is the domain itself' : 'that shares those of another';
    problems.add('scenario-conflict', at, `"${name}" is ${quote(value)}, ${why}`);
  }
  return master?.id;
}

function resolveAdjust(list: Found<Located> | undefined, problems: Problems): Pick<DomainSpec, 'adjust'> {
  if (list === undefined) return {};
  const adjust = (itemsOf(list, 'settings', problems) ?? []).map((item) => {
    const values = new Values();
    readKeys(item, 'a setting', SETTING_WORDS, values, problems);
    return settingsOf(values);
  });
  return { adjust };
}

/** What a map with SETTING_KEYS asks for. */
export function settingsOf(values: Values): DomainSettings {
  return {
    weight: values.value(SETTING_KEYS.weight),
    cap: values.value(SETTING_KEYS.cap),
    maxBoostPeriodMs: values.value(SETTING_KEYS.maxBoostPeriod),
    boostRatio: values.value(SETTING_KEYS.boostRatio),
    isInquiry: values.value(SETTING_KEYS.inquiry),
    vcpu: values.value(SETTING_KEYS.vcpu),
    periodMs: values.value(SETTING_KEYS.periodMs),
    budgetMs: values.value(SETTING_KEYS.budgetMs),
    extratime: values.value(SETTING_KEYS.extratime),
  };
}

/** libxl refuses a cap above 100 percent for each vCPU (libxl_sched.c, sched_credit_domain_set). */
function checkCap(domain: Values, vcpus: readonly VcpuSpec[], problems: Problems): void {
  const cap = domain.get(DOMAIN_KEYS.cap);
  if (!cap || domain.isBroken(DOMAIN_KEYS.vcpus) || cap.value <= vcpus.length * 100 || vcpus.length === 0)
    return;
  const most = `at most ${vcpus.length * 100}: 100 percent for each vCPU`;
  problems.add('scenario-conflict', cap.at, `"cap" is ${cap.value}, expected ${most}, as libxl demands`);
}

function resolveVcpus(
  node: Located,
  domain: Values,
  pcpus: number | undefined,
  vcpusLeft: number,
  problems: Problems,
): VcpuSpec[] {
  const list = domain.get(DOMAIN_KEYS.vcpus);
  if (!list) {
    problems.add('scenario-missing-key', node.at, 'a domain lacks "vcpus", expected a list such as [hog]');
    return [];
  }
  if (list.value.kind !== 'list' || list.value.items.length === 0) {
    const shown = list.value.kind === 'list' ? 'an empty list' : describeLocated(list.value);
    problems.add('scenario-bad-value', list.at, `"vcpus" is ${shown}, expected a list such as [hog]`);
    domain.markBroken(DOMAIN_KEYS.vcpus);
    return [];
  }
  const domainHard = resolveAffinity(domain.get(DOMAIN_KEYS.affinity), pcpus, problems);
  const domainSoft = resolveAffinity(domain.get(DOMAIN_KEYS.softAffinity), pcpus, problems);
  const hasGuest = domain.get(DOMAIN_KEYS.guest) !== undefined;
  const specs: VcpuSpec[] = [];
  for (const item of list.value.items) {
    const values = readVcpu(item, problems);
    const given = values.get(VCPU_KEYS.workload);
    if (given?.value.kind === 'tasks' && !hasGuest) {
      problems.add('scenario-conflict', given.at, 'there are no tasks, expected a "guest" of the domain');
    }
    const isLeftOut = hasGuest && item.kind === 'map' && !values.isBroken(VCPU_KEYS.workload);
    const workload = given?.value ?? (isLeftOut ? { kind: 'tasks' as const } : undefined);
    if (!workload) {
      if (!values.isBroken(VCPU_KEYS.workload)) {
        problems.add(
          'scenario-missing-key',
          item.at,
          'a vCPU lacks "workload", expected for example "workload: hog"',
        );
      }
      domain.markBroken(DOMAIN_KEYS.vcpus);
    }
    const hard = values.get(VCPU_KEYS.affinity);
    const soft = values.get(VCPU_KEYS.softAffinity);
    const template: VcpuSpec = {
      workload: workload ?? { kind: 'idle' },
      yieldEveryNs: values.value(VCPU_KEYS.yieldEvery) ?? 0,
      hardAffinity: hard ? resolveAffinity(hard, pcpus, problems) : domainHard,
      softAffinity: soft ? resolveAffinity(soft, pcpus, problems) : domainSoft,
      rtds: resolveRtds(values.get(VCPU_KEYS.rtds), problems),
      ...resolveServer(values, item.at, problems),
    };
    const count = values.value(VCPU_KEYS.count) ?? 1;
    const most = Math.min(VCPUS_PER_DOMAIN_MAX - specs.length, vcpusLeft - specs.length);
    if (count > most) {
      const bound = `${VCPUS_PER_DOMAIN_MAX} in a domain and ${VCPUS_MAX} in all`;
      problems.add('scenario-bad-value', item.at, `too many vCPUs, expected at most ${bound}`);
      return specs;
    }
    for (const expanded of expand(template, count, values, problems)) specs.push(expanded);
  }
  return specs;
}

/** A vCPU is a map, or a workload alone. */
function readVcpu(item: Located, problems: Problems): Values {
  const values = new Values();
  if (item.kind === 'scalar' && typeof item.value === 'string') {
    const workload = workloadType.read(item, 'workload', problems);
    if (workload)
      values.set(VCPU_KEYS.workload, { value: workload, at: item.at, keyAt: item.at, name: 'workload' });
    else values.markBroken(VCPU_KEYS.workload as never);
    return values;
  }
  const misplaced =
    item.kind === 'map' ? item.entries.filter(({ key }) => Object.hasOwn(WORKLOAD_FORMS, key)) : [];
  for (const { key, keyAt } of misplaced) {
    const example = `workload: {${key}: ...}`;
    const sentence = `unknown key "${key}", expected the workload below "workload", as in "${example}"`;
    problems.add('scenario-unknown-key', keyAt, sentence);
  }
  if (item.kind === 'map' && misplaced.length > 0) {
    const rest = item.entries.filter((entry) => !misplaced.includes(entry));
    readKeys({ ...item, entries: rest }, 'a vCPU', VCPU_WORDS, values, problems);
    values.markBroken(VCPU_KEYS.workload as never);
    return values;
  }
  readKeys(item, 'a vCPU', VCPU_WORDS, values, problems);
  if (item.kind !== 'map') values.markBroken(VCPU_KEYS.workload as never);
  return values;
}

/** `count` vCPUs of one description, each `offset_step` later than the one before. */
function expand(template: VcpuSpec, count: number, values: Values, problems: Problems): VcpuSpec[] {
  const step = values.get(VCPU_KEYS.offsetStep);
  const { workload } = template;
  if (!step || !('offsetNs' in workload)) return new Array<VcpuSpec>(count).fill(template);
  if (!Number.isSafeInteger(workload.offsetNs + (count - 1) * step.value)) {
    problems.add('scenario-bad-value', step.at, `"${step.name}" leads to offsets beyond 2^53 ns`);
    return [];
  }
  return Array.from({ length: count }, (_, index) => {
    const shifted: Workload = { ...workload, offsetNs: workload.offsetNs + index * step.value };
    return { ...template, workload: shifted };
  });
}

/** The pCPUs that an affinity names on this host; undefined is all of them. */
export function resolveAffinity(
  given: Found<PcpuList> | undefined,
  pcpus: number | undefined,
  problems: Problems,
): readonly number[] | undefined {
  if (!given) return undefined;
  const list = given.value;
  if ('allBut' in list) {
    if (list.allBut.length === 0 || pcpus === undefined) return undefined;
    const rest = Array.from({ length: pcpus }, (_, pcpu) => pcpu).filter(
      (pcpu) => !list.allBut.includes(pcpu),
    );
    if (rest.length > 0) return rest;
    problems.add('scenario-bad-value', given.at, `"${given.name}" leaves none of the host's pCPUs`);
    return undefined;
  }
  const beyond = pcpus === undefined ? undefined : list.find((pcpu) => pcpu >= pcpus);
  if (beyond !== undefined) {
    const there = pcpus === 1 ? 'only pCPU 0' : `pCPUs 0 to ${pcpus! - 1}`;
    const sentence = `"${given.name}" names pCPU ${beyond}, which does not exist: the host has ${there}`;
    problems.add('scenario-conflict', given.at, sentence);
  }
  return list;
}

function resolveRtds(given: Found<Located> | undefined, problems: Problems): RtdsParameters | undefined {
  if (!given) return undefined;
  const values = new Values();
  readKeys(given.value, 'rtds', RTDS_WORDS, values, problems);
  const times = resolveTimes(RTDS_KEYS, 'RTDS', values, given.at, problems);
  return { ...times, extratime: values.value(RTDS_KEYS.extratime) ?? false };
}

/** The map `server`, or its period and budget beside the vCPU's other keys. */
function resolveServer(values: Values, vcpuAt: number, problems: Problems): Pick<VcpuSpec, 'server'> {
  const { period, budget, priority, kind } = SERVER_KEYS;
  const given = values.get(VCPU_KEYS.server);
  if (given) readKeys(given.value, 'server', SERVER_WORDS, values, problems);
  if (!given && ![period, budget].some((one) => values.get(one))) return {};
  const times = resolveTimes(SERVER_KEYS, 'RT-Xen', values, given?.at ?? vcpuAt, problems);
  const server: ServerParameters = {
    ...times,
    priority: values.value(priority),
    serverKind: values.value(kind),
  };
  return { server };
}

/** Period and budget of a server, of which each has the default of Xen. */
function resolveTimes(
  keys: { readonly period: Key<number>; readonly budget: Key<number> },
  scheduler: string,
  values: Values,
  at: number,
  problems: Problems,
): { periodUs: number; budgetUs: number } {
  const period = values.get(keys.period);
  const budget = values.get(keys.budget);
  const periodNs = period?.value ?? 10_000_000;
  const budgetNs = budget?.value ?? 4_000_000;
  for (const time of [period, budget]) {
    if (time && time.value % 1000 !== 0) {
      problems.add(
        'scenario-bad-value',
        time.at,
        `"${time.name}" is no whole number of microseconds, as ${scheduler} demands`,
      );
    }
  }
  const isBroken = [keys.period, keys.budget].some((one) => values.isBroken(one as Key<unknown>));
  if (budgetNs > periodNs && !isBroken) {
    const place = budget?.at ?? period?.at ?? at;
    const sentence = `the budget of ${budgetNs / 1000} us is above the period of ${periodNs / 1000} us`;
    problems.add('scenario-conflict', place, sentence);
  }
  return { periodUs: Math.floor(periodNs / 1000), budgetUs: Math.floor(budgetNs / 1000) };
}
