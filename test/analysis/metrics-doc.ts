import { type ResultTable, resultSpecs } from '../../src/analysis/index.ts';
import { loadCatalog } from '../../src/format/index.ts';

/** Every result that the registered passes give, without rows. */
export function resultTables(): ResultTable[] {
  return resultSpecs(loadCatalog()).map(({ table }) => table);
}

/** The columns of a result as docs/metrics.md has them. */
export function columnsMarkdown({ doc, columns }: ResultTable): string {
  const rows = columns.map(({ name, type, unit, doc: columnDoc }) => {
    return `| \`${name}\` | ${type}${unit === undefined ? '' : ` (${unit})`} | ${columnDoc} |`;
  });
  return `${doc}\n\n| column | type (unit) | meaning |\n|---|---|---|\n${rows.join('\n')}\n`;
}

/** `text` with the part between a result's markers replaced by its columns. */
export function withColumns(text: string, tables: readonly ResultTable[]): string {
  return tables.reduce((doc, table) => {
    const [open, close] = [`<!-- columns of ${table.name} -->\n`, `<!-- end of ${table.name} -->`];
    const start = doc.indexOf(open);
    const end = doc.indexOf(close);
    if (start < 0 || end < start) throw new Error(`docs/metrics.md has no markers for ${table.name}`);
    return doc.slice(0, start + open.length) + columnsMarkdown(table) + doc.slice(end);
  }, text);
}
