import { FLOAT_ZERO } from '../base/zero.ts';
import type { Host } from '../scenario/scenario.ts';
import type { Pcpu } from './pcpu.ts';
import { Timers } from './timers.ts';
import { Topology } from './topology.ts';
import type { TraceSink } from './trace-sink.ts';
import { Tracer } from './tracer.ts';

/**
 * The hardware, as far as a hypervisor sees it: a clock, pCPUs and where they sit, timers, and the trace's
 * clock.
 */
export class Machine {
  /** The virtual clock (Xen's NOW()): nanoseconds since boot. */
  nowNs = FLOAT_ZERO;
  /** The pCPU in whose context the present code runs (smp_processor_id()). */
  cpu = 0;
  /** The pCPU whose expired timers run at present, and what follows from them; -1 if guests act. */
  timerPcpu = -1;
  readonly host: Host;
  readonly topology: Topology;
  readonly timers = new Timers();
  readonly tracer: Tracer;
  readonly pcpus: Pcpu[] = [];

  constructor(host: Host, sink: TraceSink) {
    this.host = host;
    this.topology = new Topology(host);
    this.tracer = new Tracer(this, host, sink);
  }
}
