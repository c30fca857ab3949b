import { formatNanosecondsExact } from '../base/nanoseconds.ts';
import { DOMAIN_ID_MAX } from './keys.ts';
import type { Located } from './located.ts';
import type { Problems } from './problems.ts';
import { type Found, key, readKeys, Values, type Vocabulary, vocabulary } from './read-keys.ts';
import type { Action, SedfParameters } from './scenario.ts';
import { duration, wholeNanoseconds, wholeNumber, yesOrNo } from './value-types.ts';

/* The keys of SEDF's parameters, in the manner of keys.ts, and what is right of them. */

/** PERIOD_MIN, PERIOD_MAX and SLICE_MIN of Xen's sched_sedf.c. */
const PERIOD_MIN_NS = 10_000;
const PERIOD_MAX_NS = 10_000_000_000;
const SLICE_MIN_NS = 5_000;
/** Xen keeps weights in 16 bits with a sign. */
const WEIGHT_MAX = 32_767;

export const SEDF_KEYS = {
  period: key({
    name: 'period',
    type: duration(),
    default: '0s: none',
    doc: 'Period, and the deadline in it, from 10us to 10s. 0 with a weight and extra time: of that only.',
    aliases: [{ name: 'period_ns', type: wholeNanoseconds() }],
  }),
  slice: key({
    name: 'slice',
    type: duration(),
    default: '0s',
    doc: 'CPU time in each period, of each vCPU, from 5us on; at most the period.',
    aliases: [{ name: 'slice_ns', type: wholeNanoseconds() }],
  }),
  latency: key({
    name: 'latency',
    type: duration(),
    default: '0s',
    doc: 'Is kept, and has no effect.',
    aliases: [{ name: 'latency_ns', type: wholeNanoseconds() }],
  }),
  extratime: key({
    name: 'extratime',
    type: yesOrNo,
    default: 'false',
    doc: 'May run beyond its slices when nobody else uses the pCPU for its own.',
    aliases: ['extra'],
  }),
  weight: key({
    name: 'weight',
    type: wholeNumber(0, WEIGHT_MAX),
    default: '0',
    doc: 'Instead of period and slice: a share of what others leave in 100ms; 0 is none.',
  }),
  expectRefusal: key({
    name: 'expect_refusal',
    type: yesOrNo,
    default: 'false',
    doc: 'Xen refuses this, so that what was before stays. Without this it is a mistake.',
  }),
};

const DOM_KEY = key({
  name: 'dom',
  type: wholeNumber(0, DOMAIN_ID_MAX),
  default: 'required',
  doc: 'The domain, in an action.',
});

const DOMAIN_WORDS = vocabulary(Object.values(SEDF_KEYS));
const ACTION_WORDS = vocabulary([DOM_KEY, ...Object.values(SEDF_KEYS)]);

/** Why Xen does not take the parameters (sedf_adjust); undefined: it does. */
export function whySedfRefuses({ periodNs, sliceNs, weight }: SedfParameters): string | undefined {
  if (weight > WEIGHT_MAX) return `a weight above ${WEIGHT_MAX} is negative in 16 bits`;
  if (weight > 0) return undefined;
  if (periodNs === 0) return 'there is neither a period nor a weight';
  if (periodNs < PERIOD_MIN_NS) return 'the period is below 10 us';
  if (periodNs > PERIOD_MAX_NS) return 'the period is above 10 s';
  if (sliceNs < SLICE_MIN_NS) return 'the slice is below 5 us';
  return sliceNs > periodNs ? 'the slice is above the period' : undefined;
}

/** Reads what a domain has under SEDF. Undefined, after `problems` was told, if it cannot be. */
export function resolveSedf(
  given: Found<Located> | undefined,
  problems: Problems,
): SedfParameters | undefined {
  if (!given) return undefined;
  const values = readValues(given, DOMAIN_WORDS, problems);
  return values && parametersOf(values, given, problems);
}

/** An action's `sedf`: all parameters of a domain anew; what is not given becomes 0. */
export function resolveSedfAction(
  given: Found<Located>,
  atNs: number,
  doms: readonly number[],
  problems: Problems,
): Action | undefined {
  const values = readValues(given, ACTION_WORDS, problems);
  if (values === undefined) return undefined;
  const dom = values.get(DOM_KEY);
  if (dom === undefined) {
    const sentence = '"sedf" lacks "dom", expected for example "{dom: 1, period: 20ms, slice: 5ms}"';
    problems.add('scenario-missing-key', given.at, sentence);
    return undefined;
  }
  if (!doms.includes(dom.value)) {
    problems.add('scenario-conflict', dom.at, `there is no domain ${dom.value}`);
    return undefined;
  }
  const sedf = parametersOf(values, given, problems);
  const text = `sedf of domain ${dom.value}: ${describeSedf(sedf)}`;
  return { atNs, command: { text, kind: 'sched-sedf', dom: dom.value, sedf } };
}

/** `slice 5ms in 20ms and extra time` */
export function describeSedf({ periodNs, sliceNs, extratime, weight }: SedfParameters): string {
  if (weight > 0 && extratime && periodNs === 0) return `weight ${weight} of extra time`;
  const slice = `slice ${formatNanosecondsExact(sliceNs)} in ${formatNanosecondsExact(periodNs)}`;
  return `${weight > 0 ? `slices by weight ${weight}` : slice}${extratime ? ' and extra time' : ''}`;
}

/** undefined if anything in it cannot be read. */
function readValues(given: Found<Located>, words: Vocabulary, problems: Problems): Values | undefined {
  const values = new Values();
  const countBefore = problems.count;
  readKeys(given.value, 'sedf', words, values, problems);
  return problems.count > countBefore ? undefined : values;
}

function parametersOf(values: Values, given: Found<Located>, problems: Problems): SedfParameters {
  const { period, slice, latency, extratime, weight, expectRefusal } = SEDF_KEYS;
  const parameters = {
    periodNs: values.value(period) ?? 0,
    sliceNs: values.value(slice) ?? 0,
    latencyNs: values.value(latency) ?? 0,
    extratime: values.value(extratime) ?? false,
    weight: values.value(weight) ?? 0,
  };
  const why = whySedfRefuses(parameters);
  const isExpected = values.value(expectRefusal) ?? false;
  if (why !== undefined && !isExpected) {
    const hint = 'expected for example "{period: 20ms, slice: 5ms}" or "{weight: 2}"';
    problems.add('scenario-conflict', given.at, `Xen refuses "sedf": ${why}, ${hint}`);
  } else if (why === undefined && isExpected) {
    problems.add(
      'scenario-conflict',
      given.at,
      'Xen does not refuse "sedf", although "expect_refusal" says so',
    );
  }
  return parameters;
}
