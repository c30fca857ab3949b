/** A window of a trace as tests like to look at it. */
export interface WindowView {
  readonly pcpu: number;
  readonly bytes: number;
  /** The low half of each record's TSC; a lost-records record is `lost N`, others are `wrap` or `untimed`. */
  readonly records: readonly (number | string)[];
}

/** Takes a trace apart, without any code of `src/`. Throws where the trace is not whole. */
export function windowsOf(trace: Uint8Array): WindowView[] {
  const view = new DataView(trace.buffer, trace.byteOffset, trace.length);
  const windows: WindowView[] = [];
  for (let at = 0; at < trace.length; ) {
    if (view.getUint32(at, true) !== 0x2001f003) throw new Error(`no window at ${at}`);
    const pcpu = view.getUint32(at + 4, true);
    const bytes = view.getUint32(at + 8, true);
    const end = at + 12 + bytes;
    const records: (number | string)[] = [];
    for (at += 12; at < end; ) {
      const header = view.getUint32(at, true);
      const timed = header >>> 31;
      const event = header & 0x0fffffff;
      if (event === 0x1f001) records.push(`lost ${view.getUint32(at + 12, true)}`);
      else if (event === 0x1f002) records.push('wrap');
      else records.push(timed ? view.getUint32(at + 4, true) : 'untimed');
      at += 4 + 8 * timed + 4 * ((header >>> 28) & 7);
    }
    if (at !== end) throw new Error(`the window that ends at ${end} does not end with a record`);
    windows.push({ pcpu, bytes, records });
  }
  return windows;
}
