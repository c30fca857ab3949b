import type { XenalyzeOptions } from './options.ts';
import { HVM_SHORT_NAMES } from './state.ts';
import type { TextOutput } from './text-output.ts';

type IntervalOptions = NonNullable<XenalyzeOptions['interval']>;

/** Prints the names of the columns, as far as they are known before the trace. */
export function writeIntervalHeader({ output }: IntervalOptions, out: TextOutput): void {
  const first = { 'cr3-short-summary': 'guest', 'domain-short-summary': 'running' }[output as string];
  if (first !== undefined) out.text(`time ${[first, ...HVM_SHORT_NAMES].join(' ')}\n`);
}
