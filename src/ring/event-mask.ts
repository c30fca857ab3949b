/**
 * Xen's event classes and what `xentrace -e` calls them. Source: public trace.h, parse_evtmask() in
 * xentrace.c.
 */
export const EVENT_CLASS_MASKS = {
  gen: 0x0001f000,
  sched: 0x0002f000,
  dom0op: 0x0004f000,
  hvm: 0x0008f000,
  all: 0x0ffff000,
} as const satisfies Record<string, number>;

/** Xen's default: TRC_ALL. */
export const EVENT_MASK_ALL: number = EVENT_CLASS_MASKS.all;

/**
 * Whether an event mask lets an event through. Three conditions, all of __trace_var() and
 * trace_will_trace_event(): mask and event share a bit at all; they share a bit of the class (from bit 16
 * up); and they share a bit of the subclass (bits 12 to 15). The bits below 12, the event's number, count in
 * the first one only.
 *
 * So 0x0002f000 is the scheduler, 0x00021000 its runstate changes alone, and 0x00020000 nothing at all.
 */
export function eventMatches(eventMask: number, event: number): boolean {
  return (
    (eventMask & event) !== 0 &&
    ((eventMask >>> 16) & (event >>> 16)) !== 0 &&
    ((eventMask >>> 12) & (event >>> 12) & 0xf) !== 0
  );
}
