/**
 * What the simulated hypervisor knows of tracing: the place where its records go. The ring implements it.
 *
 * `words` is a scratch array that the callee copies from before it returns. `tscLow` and `tscHigh` are unsigned.
 */
export interface TraceSink {
  /**
   * Whether a record of `event` made on `pcpu` would be kept (event mask, cpu mask, tracing on). The hypervisor asks
   * before it builds a record, as Xen asks tb_init_done: a record that is not wanted does not advance the record clock.
   */
  wants(pcpu: number, event: number): boolean;
  /**
   * One record. `currentDom`/`currentVcpu` is the vCPU current on that pCPU (the idle domain is 32767), which Xen
   * notes in a lost-records record.
   */
  emit(
    pcpu: number,
    event: number,
    tscLow: number,
    tscHigh: number,
    words: Uint32Array,
    wordCount: number,
    currentDom: number,
    currentVcpu: number,
  ): void;
}
