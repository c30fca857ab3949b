import { csvLine } from '../report/index.ts';
import { textTable } from '../report/text-table.ts';
import type { QueryResult, SqlValue } from './trace-database.ts';

/** Writes the result of a query, piece by piece. */
export type ResultWriter = (result: QueryResult, print: (text: string) => void) => Promise<void>;

/** By name of the format. */
export const RESULT_WRITERS = {
  text: writeText,
  json: writeJson,
  csv: writeCsv,
} as const satisfies Record<string, ResultWriter>;

const NULL_TEXT = '-';
/** Rows that text is lined up by; in longer results each such page is as wide as it needs to be. */
const PAGE_ROWS = 1000;

/** Columns lined up under their names, numbers to the right. Figures are shown as they are, not rounded. */
async function writeText({ columns, pieces }: QueryResult, print: (text: string) => void): Promise<void> {
  if (columns.length === 0) return;
  const left = columns.map(({ sqlType }) => !isNumeric(sqlType));
  const names = columns.map(({ name }) => name);
  let page: string[][] = [];
  let pages = 0;
  const printPage = () => {
    const text = textTable(names, page, left);
    print(pages++ === 0 ? text : text.slice(text.indexOf('\n') + 1));
    page = [];
  };
  for await (const rows of pieces) {
    for (const row of rows) {
      page.push(row.map((value) => (value === null ? NULL_TEXT : String(value))));
      if (page.length === PAGE_ROWS) printPage();
    }
  }
  if (page.length > 0 || pages === 0) printPage();
}

/** An array of objects, one for each row and line. */
async function writeJson({ columns, pieces }: QueryResult, print: (text: string) => void): Promise<void> {
  const keys = columns.map(({ name }) => JSON.stringify(name));
  let separator = '[\n';
  for await (const rows of pieces) {
    for (const row of rows) {
      print(`${separator}  {${row.map((value, index) => `${keys[index]}: ${jsonOf(value)}`).join(', ')}}`);
      separator = ',\n';
    }
  }
  print(separator === ',\n' ? '\n]\n' : '[]\n');
}

/** RFC 4180, as every other CSV here. */
async function writeCsv({ columns, pieces }: QueryResult, print: (text: string) => void): Promise<void> {
  if (columns.length === 0) return;
  print(csvLine(columns.map(({ name }) => name)));
  for await (const rows of pieces) {
    for (const row of rows) print(csvLine(row.map((value) => (value === null ? null : String(value)))));
  }
}

function isNumeric(sqlType: string): boolean {
  return /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*)$/.test(sqlType);
}

/** Integers of any size keep all digits; what JSON has no type for is text. */
function jsonOf(value: SqlValue): string {
  if (value === null) return 'null';
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'object' && 'scale' in value) return String(value); // A decimal.
  const { items, entries } = value as { items?: readonly SqlValue[]; entries?: Record<string, SqlValue> };
  if (Array.isArray(items)) return `[${items.map(jsonOf).join(', ')}]`;
  if (entries !== undefined && !Array.isArray(entries)) {
    const members = Object.entries(entries).map(
      ([key, member]) => `${JSON.stringify(key)}: ${jsonOf(member)}`,
    );
    return `{${members.join(', ')}}`;
  }
  return JSON.stringify(String(value));
}
