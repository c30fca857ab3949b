import { importDuckdb } from '../../src/query/duckdb.ts';

/** Why the tests of SQL cannot run; undefined where they can. */
export const withoutDuckdb: string | undefined = await importDuckdb().then(
  () => undefined,
  (error: Error) => {
    process.stderr.write(`skipped the tests of SQL: ${error.message}\n`);
    return error.message;
  },
);
