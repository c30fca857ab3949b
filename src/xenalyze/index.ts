/**
 * The drop-in for xenalyze: the same options, the same bytes.
 *
 * It reads a trace in xenalyze's own order (which TSC skew may change on the way), keeps xenalyze's model of pCPUs,
 * domains and vCPUs, and writes its lines. Each class of records is a file.
 */
export { runXenalyze, type XenalyzeIo } from './run-xenalyze.ts';
export { descriptorSink } from './text-output.ts';
