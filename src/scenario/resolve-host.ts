import { HOST_KEYS, SCENARIO_KEYS, TOPOLOGY_KEYS, TSC_DEFAULT } from './keys.ts';
import { PCPUS_MAX } from './pcpu-list.ts';
import type { Problems } from './problems.ts';
import { readKeys, type Values, vocabulary } from './read-keys.ts';
import type { Host } from './scenario.ts';

const HOST_WORDS = vocabulary(Object.values(HOST_KEYS));
const TOPOLOGY_WORDS = vocabulary(Object.values(TOPOLOGY_KEYS));

/** The machine, and how many pCPUs it has: undefined when that is not known for a mistake in the text. */
export interface ResolvedHost {
  readonly host: Host;
  readonly pcpus: number | undefined;
}

/**
 * Reads the host's keys, in their groups or at the top level, all of which are in `values`, and fills in
 * the rest.
 */
export function resolveHost(
  values: Values,
  seed: number,
  durationNs: number,
  problems: Problems,
): ResolvedHost {
  const group = values.get(SCENARIO_KEYS.host);
  if (group) readKeys(group.value, 'host', HOST_WORDS, values, problems);
  const topology = values.get(SCENARIO_KEYS.topology);
  if (topology) readKeys(topology.value, 'topology', TOPOLOGY_WORDS, values, problems);

  const shape = resolveTopology(values, problems);
  const tscHz = values.value(HOST_KEYS.tscHz) ?? TSC_DEFAULT;
  const tscBase = values.value(HOST_KEYS.tscBase) ?? BigInt(TSC_DEFAULT);
  const tscSkewTicks = values.value(HOST_KEYS.tscSkew) ?? [];
  checkTsc(values, tscHz, tscBase, tscSkewTicks, shape.pcpus, durationNs, problems);
  const { sockets, cores, threads, nodes } = shape;
  const host: Host = {
    pcpus: shape.pcpus ?? 1,
    sockets,
    coresPerSocket: cores,
    threadsPerCore: threads,
    nodes,
    tscHz,
    tscBase,
    tscSkewTicks,
    contextSwitchNs: values.value(HOST_KEYS.contextSwitch) ?? 0,
    timerJitterNs: values.value(HOST_KEYS.timerJitter) ?? 0,
    // xorshift generators stand still at 0.
    jitterSeed: values.value(HOST_KEYS.jitterSeed) ?? Math.max(1, seed),
    timerMinNs: values.value(HOST_KEYS.timerMin),
    timerBatch: values.value(HOST_KEYS.timerBatch) ?? true,
    randomSeed: values.value(HOST_KEYS.randomSeed) ?? 0,
    xmallocFill: values.value(HOST_KEYS.xmallocFill),
  };
  return { host, pcpus: shape.pcpus };
}

function resolveTopology(values: Values, problems: Problems) {
  const {
    pcpus: pcpusKey,
    sockets: socketsKey,
    cores: coresKey,
    threads: threadsKey,
    nodes: nodesKey,
  } = HOST_KEYS;
  const sockets = values.value(socketsKey) ?? 1;
  const threads = values.value(threadsKey) ?? 1;
  const nodes = values.value(nodesKey) ?? 1;
  const given = values.get(pcpusKey);
  const cores = values.value(coresKey) ?? Math.max(1, Math.floor((given?.value ?? 1) / (sockets * threads)));
  const unknown = { pcpus: undefined, sockets, cores, threads, nodes };
  if ([pcpusKey, socketsKey, coresKey, threadsKey].some((one) => values.isBroken(one))) return unknown;

  const product = sockets * cores * threads;
  const shape = `${count(sockets, 'socket')} x ${count(cores, 'core')} x ${count(threads, 'thread')}`;
  const place = (values.get(coresKey) ?? values.get(socketsKey) ?? values.get(threadsKey))?.keyAt ?? 0;
  if (given && given.value !== product) {
    const sentence = `"pcpus" is ${given.value}, but the topology (${shape}) has ${product} pCPUs`;
    problems.add('scenario-conflict', given.at, sentence);
    return unknown;
  }
  if (product > PCPUS_MAX) {
    problems.add(
      'scenario-bad-value',
      place,
      `the topology (${shape}) has ${product} pCPUs, at most ${PCPUS_MAX} are`,
    );
    return unknown;
  }
  const nodesGiven = values.get(nodesKey);
  if (nodesGiven && nodes > sockets) {
    const most = `at most one for each of the ${count(sockets, 'socket')}`;
    const sentence = `"nodes" is ${nodes}, expected ${most}`;
    problems.add('scenario-conflict', nodesGiven.at, sentence);
  }
  return { pcpus: product, sockets, cores, threads, nodes };
}

function checkTsc(
  values: Values,
  tscHz: number,
  tscBase: bigint,
  skew: readonly number[],
  pcpus: number | undefined,
  durationNs: number,
  problems: Problems,
): void {
  const skewGiven = values.get(HOST_KEYS.tscSkew);
  if (skewGiven && pcpus !== undefined && skew.length > pcpus) {
    const sentence = `"${skewGiven.name}" has ${skew.length} values, the host has ${count(pcpus, 'pCPU')}`;
    problems.add('scenario-conflict', skewGiven.at, sentence);
  }
  const baseAt = (values.get(HOST_KEYS.tscBase) ?? skewGiven ?? values.get(HOST_KEYS.tscHz))?.at ?? 0;
  const least = BigInt(Math.min(0, ...skew));
  const most = BigInt(Math.max(0, ...skew));
  if (tscBase + least < 0n) {
    problems.add(
      'scenario-conflict',
      baseAt,
      'a TSC would start below 0, expected tsc_base to cover the skew',
    );
  }
  if (tscBase + most + (BigInt(durationNs) * BigInt(tscHz)) / 1_000_000_000n >= 2n ** 64n) {
    problems.add('scenario-conflict', baseAt, 'a TSC would overflow 64 bits before the run ends');
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
