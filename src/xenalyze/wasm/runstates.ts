/** Runstates: Xen's own four, and the analyser's. */
export const RUNNING = 0;
export const RUNNABLE = 1;
export const BLOCKED = 2;
export const OFFLINE = 3;
export const LOST = 4;
export const QUEUED = 5;
export const INIT = 6;
