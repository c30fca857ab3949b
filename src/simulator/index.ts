/**
 * From a checked scenario to trace records: a Xen host in virtual time.
 *
 * In: a Scenario. Out: records into a TraceSink, and hooks for whoever watches. The machine is the one that
 * docs/machine-model.md describes; decisions are those of Xen's own C code, instant by instant.
 *
 * Refuses to know: rings, files, how scenarios are written, and the real clock.
 * @module
 */
export type { SimulationHooks } from './hooks.ts';
export type { CreditVersion } from './schedulers/credit/version.ts';
export { isModelled, type SchedulerEntry, schedulers } from './schedulers/index.ts';
export { Simulation, type SimulationOptions, simulate, type VcpuTimes } from './simulation.ts';
export type { TraceSink } from './trace-sink.ts';
export { DOMID_IDLE } from './vcpu.ts';
export {
  type Arinc653Version,
  type CoreRecords,
  type CoreVersion,
  type Credit2Version,
  type RtdsVersion,
  type SedfVersion,
  type XenVersion,
  xenVersion,
} from './versions.ts';
