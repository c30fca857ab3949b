/**
 * Task sets, drawn as the literature draws them, and the scenarios in which they run.
 *
 * In: how many tasks, their utilisation, how their periods are distributed, a seed. Out: periodic tasks, the
 * same for the same seed, and the text of a scenario whose guests run them, with servers of a given or of the
 * least sufficient size.
 *
 * Refuses to know: how scenarios are read and run.
 * @module
 */
export { drawPeriodNs, type Periods } from './periods.ts';
export { utilisationOf, worstFit } from './place.ts';
export { randFixedSum } from './rand-fixed-sum.ts';
export { leastBudgetNs, type ServedScheduler, supplyBoundNs } from './size-server.ts';
export {
  drawTaskSet,
  drawUtilisations,
  GENERATORS,
  type GeneratorName,
  type PeriodicTask,
  type TaskSetSpec,
} from './task-set.ts';
export { uunifast, uunifastDiscard } from './uunifast.ts';
export {
  type ScenarioPlan,
  type ServerSpec,
  type WrittenScenario,
  writeTaskSetScenario,
} from './write-scenario.ts';
