import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The numbered queries of docs/queries.md, by title. */
export function documentedQueries(): Map<string, string> {
  const text = readFileSync(join(import.meta.dirname, '../../docs/queries.md'), 'utf8');
  const found = text.matchAll(/^### \d+\. (.*)\n[^#]*?^```sql\n([\s\S]*?)^```$/gm);
  return new Map([...found].map(([, title, sql]) => [title, sql]));
}
