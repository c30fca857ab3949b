/** What is known of a vCPU of a PV guest. */
export class PvVcpu {}
