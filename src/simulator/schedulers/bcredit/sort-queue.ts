import type { Link } from '../../linked-list.ts';
import {
  type CreditPcpu,
  type CreditSystem,
  type CreditVcpu,
  PRI_BOOST,
  PRI_UNDER,
} from '../credit/state.ts';

/**
 * Moves the boosted before those with credit, and these before those without, once after each accounting
 * (bcsched_runq_sort). Each of the three groups keeps its order.
 */
export function sortQueue({ accountings }: CreditSystem, pcpu: CreditPcpu): void {
  if (pcpu.sortedAfter === accountings) return;
  pcpu.sortedAfter = accountings;
  const { queue } = pcpu;
  let lastBoost: Link<CreditVcpu> = queue;
  let lastUnder: Link<CreditVcpu> = queue;
  let at = queue.next;
  while (at !== queue) {
    const next = at.next;
    const { pri } = at.owner!;
    if (pri === PRI_BOOST) {
      moveBehind(at, lastBoost);
      if (lastBoost === lastUnder) lastUnder = at;
      lastBoost = at;
    } else if (pri === PRI_UNDER) {
      moveBehind(at, lastUnder);
      lastUnder = at;
    }
    at = next;
  }
}

function moveBehind(link: Link<CreditVcpu>, last: Link<CreditVcpu>): void {
  if (link.prev === last) return;
  link.remove();
  link.insertAfter(last);
}
