/** Names of slices and marks: a packet gives them by their place here, from 1. */
export const EVENT_NAMES = [
  'unknown',
  'offline',
  'throttled',
  'running, pCPU not known',
  'removed',
  'job',
  'job not completed',
  'deadline missed',
  'lost records',
] as const;
export type EventName = (typeof EVENT_NAMES)[number];

/** What slices and marks say besides; likewise. */
export const ANNOTATIONS = ['job', 'release_ns', 'start_ns', 'deadline_ns', 'execution_ns', 'lost'] as const;
export type Annotation = (typeof ANNOTATIONS)[number];
