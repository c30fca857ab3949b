/** Exit codes: done; the trace was damaged but what could be read was reported; wrong usage or input. */
export const EXIT = { done: 0, damaged: 1, usage: 2 } as const;
