import { formatNanosecondsExact } from '../base/nanoseconds.ts';
import type {
  Arinc653Table,
  DomainSpec,
  Duration,
  Scenario,
  ServerParameters,
  VcpuSpec,
  Workload,
} from './scenario.ts';
import { describeSedf } from './sedf-keys.ts';

/**
 * A scenario in a few lines for people: the host, the scheduler, and a line for each domain. Ends without a
 * newline.
 *
 *     first: credit of Xen head, 2 pCPUs (1 socket x 2 cores x 1 thread), 2s, seed 1
 *       d1 web      weight 512   2 x hog
 */
export function describeScenario(scenario: Scenario): string {
  const { host } = scenario;
  const shape = [
    plural(host.sockets, 'socket'),
    plural(host.coresPerSocket, 'core'),
    plural(host.threadsPerCore, 'thread'),
  ].join(' x ');
  const head =
    `${scenario.name}: ${scenario.scheduler} of Xen ${scenario.xen}, ` +
    `${plural(host.pcpus, 'pCPU')} (${shape}), ` +
    `${formatNanosecondsExact(scenario.durationNs)}, seed ${scenario.seed}`;
  const params = Object.entries(scenario.params).map(([name, value]) => `  ${name}=${value}`);
  const nameWidth = Math.max(0, ...scenario.domains.map(({ name }) => name.length));
  const table = scenario.arinc653 ? [`  ${describeTable(scenario.arinc653)}`] : [];
  const domains = scenario.domains.map((domain) => describeDomain(domain, nameWidth));
  const actions = (scenario.actions ?? []).map(({ atNs, arinc653, command }) => {
    return `  at ${formatNanosecondsExact(atNs)}: ${command?.text ?? describeTable(arinc653!)}`;
  });
  const pools = (scenario.cpupools ?? []).map(({ name, scheduler, pcpus }) => {
    return `  cpupool ${name}: ${scheduler}, pCPU ${formatPcpus(pcpus)}`;
  });
  return [head, ...params, ...pools, ...table, ...domains, ...actions].join('\n');
}

/** `arinc653 every 40ms: d1v0 15ms, d2v0 10ms` */
function describeTable({ majorFrameNs, entries }: Arinc653Table): string {
  const slots = entries.map(({ dom, vcpu, runtimeNs }) => {
    return `d${dom}v${vcpu} ${formatNanosecondsExact(runtimeNs)}`;
  });
  return `arinc653 every ${formatNanosecondsExact(majorFrameNs)}: ${slots.join(', ')}`;
}

function describeDomain(domain: DomainSpec, nameWidth: number): string {
  const settings = [
    domain.weight === undefined ? '' : `weight ${domain.weight}`,
    domain.cap === undefined || domain.cap === 0 ? '' : `cap ${domain.cap}%`,
    domain.sedf === undefined ? '' : describeSedf(domain.sedf),
    domain.extratime ? 'with extratime' : '',
    domain.cpupool === undefined ? '' : `in cpupool ${domain.cpupool}`,
  ].filter((text) => text !== '');
  const kinds = new Map<string, number>();
  for (const vcpu of domain.vcpus) {
    const text = describeVcpu(vcpu);
    kinds.set(text, (kinds.get(text) ?? 0) + 1);
  }
  const vcpus = [...kinds].map(([text, count]) => (count === 1 ? text : `${count} x ${text}`)).join(', ');
  if (domain.guest !== undefined) {
    const { scheduler, placement, tasks } = domain.guest;
    settings.push(`${plural(tasks.length, 'task')} under ${placement} ${scheduler}`);
  }
  const note = settings.length === 0 ? '' : `${settings.join(', ')}: `;
  return `  ${`d${domain.id}`.padEnd(4)}${domain.name.padEnd(nameWidth)}  ${note}${vcpus}`;
}

function describeVcpu(vcpu: VcpuSpec): string {
  const extras = [
    vcpu.yieldEveryNs === 0 ? '' : `yields every ${formatNanosecondsExact(vcpu.yieldEveryNs)}`,
    vcpu.hardAffinity ? `on pCPU ${formatPcpus(vcpu.hardAffinity)}` : '',
    vcpu.softAffinity ? `prefers pCPU ${formatPcpus(vcpu.softAffinity)}` : '',
    ...[vcpu.rtds, vcpu.server].map((server) => (server === undefined ? '' : describeServer(server))),
  ].filter((text) => text !== '');
  const workload = describeWorkload(vcpu.workload);
  return extras.length === 0 ? workload : `${workload} (${extras.join(', ')})`;
}

/** `polling server 2000/10000 us at priority 1` */
function describeServer(server: ServerParameters): string {
  const { periodUs, budgetUs, priority, serverKind, extratime } = server;
  const kind = serverKind === undefined ? '' : `${serverKind} `;
  const rank = priority === undefined ? '' : ` at priority ${priority}`;
  return `${kind}server ${budgetUs}/${periodUs} us${rank}${extratime ? ' with extratime' : ''}`;
}

function describeWorkload(workload: Workload): string {
  const { kind } = workload;
  switch (kind) {
    case 'idle':
    case 'hog':
    case 'tasks':
      return kind;
    case 'duty':
      return (
        `duty ${describeDuration(workload.run)} of running, ` + `${describeDuration(workload.sleep)} of sleep`
      );
    case 'once':
      return `once ${describeDuration(workload.run)}`;
    case 'dodge': {
      const [period, guard] = [workload.periodNs, workload.guardNs].map(formatNanosecondsExact);
      return `dodge ticks of ${period} by ${guard}`;
    }
    case 'periodic':
    case 'sporadic': {
      const distance =
        kind === 'periodic'
          ? formatNanosecondsExact(workload.periodNs)
          : describeDuration(workload.interarrival);
      const deadline = formatNanosecondsExact(workload.deadlineNs);
      return `${describeDuration(workload.burst)} every ${distance}, deadline ${deadline}`;
    }
  }
}

function describeDuration(time: Duration): string {
  if (time.kind === 'fixed') return formatNanosecondsExact(time.ns);
  if (time.kind === 'exponential') {
    const most = time.maxNs === undefined ? '' : `, ${formatNanosecondsExact(time.maxNs)}`;
    return `exponential(${formatNanosecondsExact(time.meanNs)}${most})`;
  }
  return `uniform(${formatNanosecondsExact(time.minNs)}, ${formatNanosecondsExact(time.maxNs)})`;
}

/** `0-3,6` */
function formatPcpus(pcpus: readonly number[]): string {
  const ranges: string[] = [];
  for (let first = 0; first < pcpus.length; ) {
    let last = first;
    while (last + 1 < pcpus.length && pcpus[last + 1] === pcpus[last]! + 1) last += 1;
    ranges.push(first === last ? `${pcpus[first]}` : `${pcpus[first]}-${pcpus[last]}`);
    first = last + 1;
  }
  return ranges.join(',');
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
