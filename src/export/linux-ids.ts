/**
 * Domains and vCPUs as processes and threads: the pid of a domain is that of its vCPU 0, as that of a Linux process is
 * that of its main thread; for both share one space of numbers, in which every vCPU must have its own.
 * @module
 */

/** @param key `dom << 16 | vcpu` */
export function tidOf(key: number): number {
  return key + 1;
}

export function pidOf(dom: number): number {
  return dom * 0x10000 + 1;
}
