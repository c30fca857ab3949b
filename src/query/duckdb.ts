import { readFileSync } from 'node:fs';
import { UserError } from '../base/errors.ts';

/**
 * The part of @duckdb/node-api that is used. Declared here because the package is optional: it is large, and has
 * binaries for some platforms only. Everything else must build and run without it.
 */
export interface DuckdbModule {
  readonly DuckDBInstance: {
    create(path: string, options: Readonly<Record<string, string>>): Promise<DuckdbInstance>;
  };
}

export interface DuckdbInstance {
  connect(): Promise<DuckdbConnection>;
  closeSync(): void;
}

export interface DuckdbConnection {
  run(sql: string): Promise<unknown>;
  extractStatements(sql: string): Promise<DuckdbStatements>;
  closeSync(): void;
}

export interface DuckdbStatements {
  readonly count: number;
  prepare(index: number): Promise<DuckdbStatement>;
}

export interface DuckdbStatement {
  run(): Promise<unknown>;
  stream(): Promise<DuckdbResult>;
  destroySync(): void;
}

export interface DuckdbResult {
  columnNames(): readonly string[];
  /** Their `toString` is the SQL name of the type. */
  columnTypes(): readonly object[];
  fetchChunk(): Promise<{ readonly rowCount: number; getRows(): readonly (readonly unknown[])[] } | null>;
}

/** @throws UserError no-duckdb, where the package or its binary for this platform is missing. */
export async function importDuckdb(): Promise<DuckdbModule> {
  try {
    // Not a literal: the compiler would insist on finding it.
    return (await import(PACKAGE)) as DuckdbModule;
  } catch (error) {
    const isMissing = String(error).includes(`'${PACKAGE}'`);
    const trouble = isMissing
      ? 'is not installed'
      : `has no binary for ${process.platform}-${process.arch} here`;
    throw new UserError('no-duckdb', `DuckDB, which runs the SQL, ${trouble}`, {
      hint:
        `npm install --no-save ${PACKAGE}@${version()} in xenscope's folder; ` +
        'or export --to parquet for a DuckDB of your own',
    });
  }
}

const PACKAGE = '@duckdb/node-api';

/** The one that xenscope is tested with. */
function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return JSON.parse(text).optionalDependencies[PACKAGE];
}
