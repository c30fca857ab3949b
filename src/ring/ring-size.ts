/** Xen's PAGE_SIZE on x86. */
export const PAGE_BYTES = 4096;
/** sizeof(struct t_buf): the two offsets, cons and prod, that open the first page of a ring. */
export const T_BUF_BYTES = 8;
/** CONFIG_NR_CPUS of an ordinary x86 build; it sizes the fixed part of struct t_info. */
const NR_CPUS = 256;

/** The bytes for records in a ring of `pages` pages: alloc_trace_bufs()'s data_size. */
export function ringDataBytes(pages: number): number {
  return pages * PAGE_BYTES - T_BUF_BYTES;
}

/**
 * The most pages per pCPU that Xen grants; more are cut down to this with a line in its log. The page lists
 * of all pCPUs follow the fixed part of struct t_info, and the 16-bit offset of the last list must reach it:
 * calculate_tbuf_size(). One pCPU can have 65406 pages (268 MB), four 21802 each, 250 no more than 262.
 */
export function ringPagesMax(pcpus: number): number {
  const fixedWords = Math.ceil((2 + 2 * NR_CPUS) / 4);
  const reachableWords = 0xffff - fixedWords;
  return Math.floor(reachableWords / Math.max(1, pcpus - 1));
}
