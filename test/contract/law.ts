import type { Scenario, VcpuSpec } from '../../src/scenario/scenario.ts';
import { isSinceXen, type XenSeries } from '../../src/scenario/xen-versions.ts';
import type { Checker, SeenVcpu } from './observe.ts';

/** What must hold of a run, checked from outside the scheduler; see docs/schedulers/laws.md. */
export interface Law {
  readonly name: string;
  /** Why it need not hold of this scenario: as it is in Xen, not as it ought to be. undefined: it must. */
  whyNot(scenario: Scenario): string | undefined;
  create(scenario: Scenario): Checker;
}

export const since = ({ xen }: Scenario, series: XenSeries) => isSinceXen(xen as XenSeries, series);
export const vcpusOf = ({ domains }: Scenario): VcpuSpec[] => domains.flatMap(({ vcpus }) => vcpus);
export const hasAffinity = (scenario: Scenario) =>
  vcpusOf(scenario).some((vcpu) => vcpu.hardAffinity !== undefined || vcpu.softAffinity !== undefined);
/** Whether domains share the time slices of another. */
export const hasGroups = ({ domains }: Scenario) =>
  domains.some(({ schedulingDomain }) => schedulingDomain !== undefined);
export const specOf = (scenario: Scenario, { dom, vcpu }: SeenVcpu) =>
  scenario.domains.find(({ id }) => id === dom)!.vcpus[vcpu]!;
export const mayRunOn = (scenario: Scenario, vcpu: SeenVcpu, pcpu: number) =>
  specOf(scenario, vcpu).hardAffinity?.includes(pcpu) ?? true;
