import type { SchedulerName } from './scenario.ts';

/**
 * The versions of Xen that a scenario may name, oldest first: the series of the releases, and the
 * repository's head. rt-xen-2.0 is RT-Xen of September 2013, on Xen 4.3. 4.6-rfc is 4.6 with the first
 * event-driven RTDS as it was sent to the mailing list. Which of them the simulator tells apart, and how, is
 * the simulator's business; so is which schedulers are modelled of which version.
 */
export const XEN_SERIES = [
  '3.3',
  '3.4',
  '4.0',
  '4.1',
  '4.2',
  '4.3',
  'rt-xen-2.0',
  '4.4',
  '4.5',
  '4.6',
  '4.6-rfc',
  '4.7',
  '4.8',
  '4.9',
  '4.10',
  '4.11',
  '4.12',
  '4.13',
  '4.14',
  '4.15',
  '4.16',
  '4.17',
  '4.18',
  '4.19',
  '4.20',
  '4.21',
  '4.22',
  'head',
] as const;

/** All of them, as messages name them. */
export const XEN_SERIES_WORDS = '3.3, 3.4, 4.0 to 4.22, 4.6-rfc, rt-xen-2.0 or head';

/** One of {@link XEN_SERIES}. */
export type XenSeries = (typeof XEN_SERIES)[number];

/** What a scenario models that names no version: the newest. */
export const XEN_SERIES_DEFAULT: XenSeries = XEN_SERIES[XEN_SERIES.length - 1]!;

/** Schedulers that were in one version of Xen only, or a patch to it: what such a scenario models. */
const XEN_SERIES_OF: Partial<Record<SchedulerName, XenSeries>> = {
  bcredit: '3.3',
  rtglobal: 'rt-xen-2.0',
  rtpartition: 'rt-xen-2.0',
};

/** The version that a scenario models which names a scheduler and no version. */
export function defaultXenOf(scheduler: SchedulerName): XenSeries {
  return XEN_SERIES_OF[scheduler] ?? XEN_SERIES_DEFAULT;
}

/** The series of a version as written (`4.17`, `4.17.7`, `head`, `HEAD`), or undefined when there is none. */
export function xenSeriesOf(version: string): XenSeries | undefined {
  const series = /^(\d+\.\d+)(?:\.\d+)?$/.exec(version)?.[1] ?? version.toLowerCase();
  return XEN_SERIES.find((known) => known === series);
}

/** Whether `series` is `since` or a later one. */
export function isSinceXen(series: XenSeries, since: XenSeries): boolean {
  return XEN_SERIES.indexOf(series) >= XEN_SERIES.indexOf(since);
}
