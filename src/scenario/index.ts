/**
 * What to simulate.
 *
 * In comes a scenario's text, YAML or JSON; out goes a checked, defaulted and frozen Scenario in integer
 * nanoseconds, or one error with every mistake of the text at its line and column. The language is
 * documented in docs/scenarios.md. It knows the names of Xen's versions, schedulers and boot parameters,
 * and the limits that Xen sets; it refuses to know how anything is simulated.
 */
export { changeScenario, type Setting } from './change-scenario.ts';
export { describeScenario } from './describe-scenario.ts';
export {
  type PromisedDomain,
  type PromisedServer,
  type PromisedVcpu,
  scenarioDomainParameters,
} from './domain-parameters.ts';
export type { Arrivals, GuestScheduler, GuestSpec, TaskSpec, TaskStep, Waiting } from './guest-spec.ts';
export { loadDomainParameters, parseDomainParameters } from './load-domain-parameters.ts';
export { loadScenario, parseScenario, readScenarioText, type ScenarioOverrides } from './load-scenario.ts';
export type {
  Action,
  Arinc653Table,
  Command,
  CpupoolSpec,
  DomainSettings,
  DomainSpec,
  Duration,
  Host,
  PriorityScheme,
  RtdsParameters,
  Scenario,
  SchedulerName,
  SedfChange,
  SedfParameters,
  ServerKind,
  ServerParameters,
  TraceSettings,
  VcpuSpec,
  Workload,
} from './scenario.ts';
export {
  XEN_SERIES,
  XEN_SERIES_DEFAULT,
  XEN_SERIES_WORDS,
  type XenSeries,
  xenSeriesOf,
} from './xen-versions.ts';
