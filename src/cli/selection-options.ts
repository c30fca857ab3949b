/**
 * The options that choose a part of a trace to analyse, the same in every verb that analyses.
 * @module
 */
import type { Command } from 'commander';
import { type Selection, VcpuSelection } from '../analysis/index.ts';
import { UserError } from '../base/errors.ts';
import { formatNanoseconds } from '../base/nanoseconds.ts';
import type { TraceFacts } from '../decoder/index.ts';
import { DOM_IDLE, type DomainInfo, vcpuLabel } from '../timeline/index.ts';
import {
  gatherDomains,
  gatherPcpus,
  gatherVcpus,
  parseDurationArgument,
  type VcpuName,
} from './arguments.ts';

export interface SelectionOptions {
  readonly from?: number;
  readonly to?: number;
  readonly domain?: readonly VcpuName[];
  readonly vcpu?: readonly VcpuName[];
  readonly pcpu?: ReadonlySet<number>;
}

/** Adds `--from`, `--to`, `--domain`, `--vcpu` and `--pcpu`. */
export function addSelectionOptions(verb: Command): Command {
  return verb
    .option(
      '--from <time>',
      'look at the trace from this time after its start, e.g. 1.5s',
      parseDurationArgument,
    )
    .option('--to <time>', 'up to this time, exclusive', parseDurationArgument)
    .option('--domain <list>', 'only what is about these domains, e.g. 1,2', gatherDomains)
    .option('--vcpu <list>', 'only what is about these vCPUs, e.g. d1v0,d2', gatherVcpus)
    .option('--pcpu <list>', 'only what happened on these pCPUs, e.g. 0-3,5', gatherPcpus);
}

/** The part that the options choose. */
export function selectionOf({ from, to, domain, vcpu, pcpu }: SelectionOptions): Selection {
  refuseEmpty(from, to);
  const names = [...(domain ?? []), ...(vcpu ?? [])];
  const doms = names.flatMap((name) => (name.vcpu === undefined ? [name.dom] : []));
  const keys = names.flatMap((name) => (name.vcpu === undefined ? [] : [name.dom * 0x10000 + name.vcpu]));
  return {
    fromNs: from,
    toNs: to,
    pcpus: pcpu,
    vcpus: names.length > 0 ? new VcpuSelection(doms, keys) : undefined,
  };
}

/** @throws UserError where nothing lies between the two. */
export function refuseEmpty(from = 0, to = Number.POSITIVE_INFINITY): void {
  if (from < to) return;
  throw new UserError('usage', '--from is not before --to', {
    hint: 'both count from the start of the trace',
  });
}

/** Tells on standard error which of what was asked for is not in the trace: a slip, mostly. */
export function tellUnknown(
  { domain, vcpu, pcpu }: SelectionOptions,
  trace: Pick<TraceFacts, 'name' | 'pcpus'>,
  domains: readonly Pick<DomainInfo, 'dom' | 'vcpuIds'>[],
): void {
  const vcpusOf = new Map(domains.map(({ dom, vcpuIds }) => [dom, vcpuIds]));
  const isKnown = (name: VcpuName) =>
    name.vcpu === undefined
      ? vcpusOf.has(name.dom) || name.dom === DOM_IDLE
      : vcpusOf.get(name.dom)?.includes(name.vcpu);
  tellMissing(
    trace,
    [...(domain ?? []), ...(vcpu ?? [])].filter((name) => !isKnown(name)),
    pcpu,
  );
}

/** A range of pCPUs may be far too long. */
const MISSING_SHOWN = 5;

/** The same, of vCPUs and domains that are known to be missing. */
export function tellMissing(
  { name, pcpus }: Pick<TraceFacts, 'name' | 'pcpus'>,
  vcpus: readonly VcpuName[],
  wanted: ReadonlySet<number> = new Set(),
): void {
  const missing = [
    ...new Set(vcpus.map(({ dom, vcpu }) => (vcpu === undefined ? `domain ${dom}` : vcpuLabel(dom, vcpu)))),
    ...[...wanted].filter((one) => !pcpus.includes(one)).map((one) => `pCPU ${one}`),
  ];
  if (missing.length === 0) return;
  const more = missing.length > MISSING_SHOWN ? ` and ${missing.length - MISSING_SHOWN} more` : '';
  const shown = missing.slice(0, MISSING_SHOWN).join(', ');
  process.stderr.write(`xenscope: ${name} tells nothing of ${shown}${more}\n`);
}

/** @throws UserError where the trace ends before the part that was chosen. */
export function refuseBeyond(
  { fromNs = 0 }: Selection,
  spanNs: number,
  name: string,
  option = '--from',
): void {
  if (fromNs === 0 || fromNs < spanNs) return;
  throw new UserError('usage', `${option} lies behind the end of ${name}`, {
    hint: `it lasts ${formatNanoseconds(spanNs)}`,
  });
}
