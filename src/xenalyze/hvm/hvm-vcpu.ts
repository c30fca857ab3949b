/** What is known of a vCPU of an HVM guest. */
export class HvmVcpu {}
