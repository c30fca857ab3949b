import type { PriorityScheme, ServerKind } from './scenario.ts';

/* The words of RT-Xen's servers. */

export const SERVER_KINDS = ['deferrable', 'periodic', 'polling', 'sporadic'] as const satisfies ServerKind[];
export const PRIORITY_SCHEMES = ['edf', 'rm'] as const satisfies PriorityScheme[];
