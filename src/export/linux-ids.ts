/**
 * Domains and vCPUs as processes and threads: the pid of a domain is that of its vCPU 0, as that of a Linux process is
 * that of its main thread; for both share one space of numbers, in which every vCPU must have its own.
 * @module
 */

/** Pids have 31 bits. Xen numbers no domain so high that they do not suffice: only damage in a trace does. */
const KEYS = 0x7fffffff;

/** Whether there can be such a vCPU. @param key `dom << 16 | vcpu` */
export function isVcpu(key: number): boolean {
  return key < KEYS;
}

export function tidOf(key: number): number {
  return key + 1;
}

export function pidOf(dom: number): number {
  return dom * 0x10000 + 1;
}
