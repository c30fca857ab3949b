import { DOM_IDLE, type DomainInfo, type RunstateBatch } from '../timeline/index.ts';
import { domLabel } from '../timeline/vcpu-label.ts';
import { appendRow } from './row-table.ts';
import type { TableWriter } from './table-writer.ts';

/** Domain ids from here on are Xen's own (DOMID_FIRST_RESERVED in Xen's public/xen.h). */
const DOM_FIRST_RESERVED = 0x7ff0;
const DOMS = 1 << 16;

/** When each domain was first and last heard of: listens to the timeline. */
export class DomainTimes {
  readonly #firstNs = new Float64Array(DOMS).fill(Number.NaN);
  readonly #lastNs = new Float64Array(DOMS).fill(Number.NaN);

  onRunstates({ count, dom, startNs, endNs, complete }: RunstateBatch): void {
    for (let row = 0; row < count; row++) {
      if (complete[row] & 1) this.#see(dom[row], startNs[row]);
      if (complete[row] & 2) this.#see(dom[row], endNs[row]);
    }
  }

  /** Undefined where no change of its vCPUs' runstates was seen. */
  of(dom: number): { firstNs: number; lastNs: number } | undefined {
    const firstNs = this.#firstNs[dom];
    return Number.isNaN(firstNs) ? undefined : { firstNs, lastNs: this.#lastNs[dom] };
  }

  #see(dom: number, ns: number): void {
    if (!(this.#firstNs[dom] <= ns)) this.#firstNs[dom] = ns;
    if (!(this.#lastNs[dom] >= ns)) this.#lastNs[dom] = ns;
  }
}

/** The table `domains`. */
export function fillDomains(writer: TableWriter, domains: readonly DomainInfo[], times: DomainTimes): void {
  for (const { dom, vcpus, createdNs = null, removedNs = null } of domains) {
    const kind = dom === DOM_IDLE ? 'idle' : dom >= DOM_FIRST_RESERVED ? 'system' : 'domain';
    const { firstNs = null, lastNs = null } = times.of(dom) ?? {};
    appendRow(writer, [dom, domLabel(dom), kind, vcpus, createdNs, removedNs, firstNs, lastNs]);
  }
}
