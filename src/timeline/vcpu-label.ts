import { DOM_IDLE } from './runstate-batch.ts';

/** A domain as Xen's tools print it: `d1`, or `d[IDLE]`. */
export function domLabel(dom: number): string {
  return dom === DOM_IDLE ? 'd[IDLE]' : `d${dom}`;
}

/** A vCPU as Xen's tools print it: `d0v5`, or `d[IDLE]v3`. */
export function vcpuLabel(dom: number, vcpu: number): string {
  return `${domLabel(dom)}v${vcpu}`;
}
