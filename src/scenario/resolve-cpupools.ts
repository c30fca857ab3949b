import { CPUPOOL_KEYS } from './keys.ts';
import type { Located } from './located.ts';
import type { Problems } from './problems.ts';
import { type Found, readKeys, unknownWord, Values, vocabulary } from './read-keys.ts';
import { itemsOf } from './resolve-arinc653.ts';
import { type GivenPools, resolveAffinity } from './resolve-domains.ts';
import type { Action, CpupoolSpec, DomainSpec, SchedulerName } from './scenario.ts';

const CPUPOOL_WORDS = vocabulary(Object.values(CPUPOOL_KEYS));
export const FIRST_CPUPOOL = 'Pool-0';

/** Reads the pools that are there from the start, besides the first one. */
export function resolveCpupools(
  list: Found<Located>,
  pcpus: number | undefined,
  scheduler: SchedulerName,
  problems: Problems,
): CpupoolSpec[] {
  const pools: CpupoolSpec[] = [];
  const names = new Set<string>([FIRST_CPUPOOL]);
  const ownerOf = new Map<number, string>([[0, FIRST_CPUPOOL]]);
  for (const item of itemsOf(list, 'cpupools', problems) ?? []) {
    const values = new Values();
    readKeys(item, 'a cpupool', CPUPOOL_WORDS, values, problems);
    const name = values.get(CPUPOOL_KEYS.name);
    const given = values.get(CPUPOOL_KEYS.pcpus);
    for (const required of [CPUPOOL_KEYS.name, CPUPOOL_KEYS.pcpus]) {
      if (values.get(required as never) || values.isBroken(required as never) || item.kind !== 'map')
        continue;
      const sentence = `a cpupool lacks "${required.name}", expected for example "{name: rt, pcpus: 2-3}"`;
      problems.add('scenario-missing-key', item.at, sentence);
    }
    if (!name || !given) continue;
    if (names.has(name.value)) {
      problems.add('scenario-conflict', name.at, `there is a cpupool "${name.value}" already`);
    }
    names.add(name.value);
    const own = resolveAffinity(given, pcpus, problems) ?? Array.from({ length: pcpus ?? 0 }, (_, i) => i);
    for (const pcpu of own) {
      const owner = ownerOf.get(pcpu);
      if (owner !== undefined) {
        const why = pcpu === 0 ? 'which stays in Pool-0' : `which is in cpupool "${owner}" already`;
        problems.add('scenario-conflict', given.at, `"${given.name}" names pCPU ${pcpu}, ${why}`);
        break;
      }
      ownerOf.set(pcpu, name.value);
    }
    pools.push({
      name: name.value,
      scheduler: values.value(CPUPOOL_KEYS.scheduler) ?? scheduler,
      pcpus: own,
    });
  }
  return pools;
}

/** What is needed to know whether each domain has a place at its creation. */
export interface Places {
  readonly domains: readonly DomainSpec[];
  readonly givenPools: GivenPools;
  readonly cpupools: readonly CpupoolSpec[] | undefined;
  readonly actions: readonly Action[] | undefined;
  /** Of all pools that there are at some time. */
  readonly poolNames: readonly string[];
  readonly pcpus: number | undefined;
}

/** A domain's pool has to be there when it is created, and its affinities have to name one of its pCPUs. */
export function checkPlaces(places: Places, problems: Problems): void {
  const { domains, givenPools, cpupools = [], actions = [], poolNames, pcpus } = places;
  const later = new Set(actions.flatMap(({ command }) => (command?.kind === 'create' ? [command.dom] : [])));
  for (const { id, vcpus } of domains) {
    const given = givenPools.get(id);
    if (given === undefined) continue;
    if (!poolNames.includes(given.value)) {
      problems.add('scenario-conflict', given.at, unknownWord('cpupool', given.value, poolNames));
      continue;
    }
    if (later.has(id)) continue;
    const pool = cpupools.find(({ name }) => name === given.value);
    if (pool === undefined && given.value !== FIRST_CPUPOOL) {
      const sentence = `cpupool "${given.value}" is not there from the start, as the domain is`;
      problems.add('scenario-conflict', given.at, sentence);
    }
    if (pool === undefined || pcpus === undefined) continue;
    for (const { hardAffinity } of vcpus) {
      if (hardAffinity?.some((pcpu) => pool.pcpus.includes(pcpu)) !== false) continue;
      problems.add('scenario-conflict', given.at, `an affinity names no pCPU of cpupool "${given.value}"`);
      break;
    }
  }
}
