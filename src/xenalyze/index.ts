/**
 * The drop-in for xenalyze: the same options, the same bytes.
 *
 * It reads a trace in xenalyze's own order (which TSC skew may change on the way), keeps xenalyze's model of pCPUs,
 * domains and vCPUs, and writes its lines. Each class of records is a file.
 *
 * What is done for each of millions of records is in wasm/, in AssemblyScript: TypeScript with a machine's types, which
 * the build compiles to WebAssembly. It works on a memory that it shares with the rest: structs.mjs tells the fields of
 * pCPUs, vCPUs and the run, *-layout.ts where things lie. Whatever is not usual is left to TypeScript.
 */
export { runXenalyze, type XenalyzeIo } from './run-xenalyze.ts';
export { descriptorSink } from './text-output.ts';
