/** Interprocessor interrupts on their way to a vCPU. */
export class Vlapic {}
