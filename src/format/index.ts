/**
 * The wire format of xentrace, shared by the side that writes traces and the side that reads them.
 *
 * In: nothing but the definition files in `formats/` and a user's own. Out: how to take a record's header
 * word apart, and what the extra words of every known record mean. It refuses to know where records come from
 * or go to: no file is opened here but definitions, and no scheduler's behaviour is modelled.
 */
export { parseDefinitions } from './definition-file.ts';
export * from './definition-sources.ts';
export * from './definitions.ts';
export * from './record.ts';
