import { UserError } from '../base/errors.ts';
import { type DuckdbConnection, type DuckdbInstance, type DuckdbStatements, importDuckdb } from './duckdb.ts';
import type { SqlColumn, SqlTable } from './sql-tables.ts';

/** A value as DuckDB gives it: bigints are exact; what JavaScript has no type for has a `toString`. */
export type SqlValue = unknown;

/** What a query gives. */
export interface QueryResult {
  /** Named as in the query; the type by DuckDB's name. */
  readonly columns: readonly { readonly name: string; readonly sqlType: string }[];
  /** Rows in pieces, as they come: memory is bounded whatever their number. */
  readonly pieces: AsyncIterable<readonly (readonly SqlValue[])[]>;
}

/**
 * A database in memory that knows the tables of a trace before the trace is read: each is declared with its columns, so
 * that a mistake in the SQL shows at once, and is filled only where a query names it.
 */
export class TraceDatabase {
  readonly #instance: DuckdbInstance;
  readonly #connection: DuckdbConnection;

  private constructor(instance: DuckdbInstance, connection: DuckdbConnection) {
    this.#instance = instance;
    this.#connection = connection;
  }

  /**
   * Makes the database and declares its tables, which are empty.
   *
   * @param scratch a folder for what does not fit into memory
   * @throws UserError no-duckdb
   */
  static async open(tables: readonly SqlTable[], scratch: string): Promise<TraceDatabase> {
    const { DuckDBInstance } = await importDuckdb();
    const instance = await DuckDBInstance.create(':memory:', {
      temp_directory: scratch,
      // Nothing is fetched from a network behind the user's back.
      autoinstall_known_extensions: 'false',
    });
    const connection = await instance.connect();
    const database = new TraceDatabase(instance, connection);
    await connection.run('CREATE SCHEMA analysis');
    await connection.run(tables.map(declaration).join(';\n'));
    await connection.run("SET search_path = 'main,analysis'");
    return database;
  }

  /**
   * Holds a query against the declared tables. What a script of several statements will find cannot be told beforehand.
   *
   * @throws UserError bad-sql
   */
  async check(sql: string): Promise<void> {
    await orBadSql(async () => {
      const statements = await this.#statements(sql);
      if (statements.count === 1) (await statements.prepare(0)).destroySync();
    });
  }

  /** Makes a declared table show Parquet files: a path, or a pattern of paths that Hive's partitions are told from. */
  async attach(table: SqlTable, files: string, partitions: readonly SqlColumn[] = []): Promise<void> {
    const name = quotedName(table);
    const types = partitions.map((column) => `${column.name}: ${column.sqlType}`).join(', ');
    const options = partitions.length === 0 ? '' : `, union_by_name = true, hive_types = {${types}}`;
    await this.#connection.run(`DROP TABLE ${name}`);
    await this.#connection.run(
      `CREATE VIEW ${name} AS SELECT * FROM read_parquet(${quotedText(files)}${options})`,
    );
  }

  /**
   * Runs a query; of several statements the last one's result counts.
   *
   * @throws UserError bad-sql, also while the pieces are fetched
   */
  async run(sql: string): Promise<QueryResult> {
    return orBadSql(async () => {
      const statements = await this.#statements(sql);
      for (let index = 0; index < statements.count - 1; index++)
        await (await statements.prepare(index)).run();
      const result = await (await statements.prepare(statements.count - 1)).stream();
      const types = result.columnTypes().map(String);
      const columns = result.columnNames().map((name, index) => ({ name, sqlType: types[index] as string }));
      async function* pieces() {
        for (;;) {
          const chunk = await orBadSql(() => result.fetchChunk());
          if (chunk === null || chunk.rowCount === 0) return;
          yield chunk.getRows();
        }
      }
      return { columns, pieces: pieces() };
    });
  }

  async #statements(sql: string): Promise<DuckdbStatements> {
    // Without any statement, as in a comment, DuckDB's own error says nothing.
    if (sql.replace(/--.*$|\/\*[\s\S]*?\*\//gm, '').trim() === '') {
      throw new UserError('bad-sql', 'there is no SQL in the query');
    }
    return this.#connection.extractStatements(sql);
  }

  /** Gives back the memory; nothing can be asked any more. */
  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }
}

function declaration(table: SqlTable): string {
  const columns = table.columns.map(({ name, sqlType }) => `${quoted(name)} ${sqlType}`);
  return `CREATE TABLE ${quotedName(table)} (${columns.join(', ')})`;
}

function quotedName({ schema, name }: SqlTable): string {
  return `${quoted(schema)}.${quoted(name)}`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function quotedText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** DuckDB's complaints are the user's to read: they show the place in the SQL. */
async function orBadSql<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof UserError || !(error instanceof Error)) throw error;
    const complaint = error.message.replace(/^Failed to extract statements: /, '').trim();
    if (!/^[A-Z][\w ]* Error: /.test(complaint)) throw error;
    const isUnknown = /^Catalog Error: Table/.test(complaint);
    throw new UserError('bad-sql', isUnknown ? `${complaint}\nquery --list shows the tables.` : complaint);
  }
}
