import { DOMAIN_SLOTS } from './page-data.ts';

/** The colours of domains, by slot: the first that traces tell of have one each, the others share the last one. */
export class DomainSlots {
  /** Those with a colour of their own, in the order of slots. */
  readonly domains: number[] = [];
  readonly #slots = new Map<number, number>();

  /** The slot of a domain; one that has not been asked for before gets the next. */
  of(dom: number): number {
    let slot = this.#slots.get(dom);
    if (slot === undefined) {
      slot = Math.min(this.#slots.size, DOMAIN_SLOTS - 1);
      if (slot < DOMAIN_SLOTS - 1) this.domains.push(dom);
      this.#slots.set(dom, slot);
    }
    return slot;
  }
}
