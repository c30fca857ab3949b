import { analyses, analyzeTrace, type Selection } from '../../src/analysis/index.ts';
import { openTrace } from '../../src/decoder/index.ts';
import { type Block, readBlock } from '../../src/page/browser/read-block.ts';
import { ReportPage } from '../../src/page/index.ts';
import type { PageData } from '../../src/page/page-data.ts';
import { summarizeTrace } from '../../src/report/index.ts';

interface Page {
  readonly data: PageData;
  readonly block: Block;
}

/** What the HTML text of a page carries, read back as the browser reads it. */
export function readPage(html: string): Promise<Page> {
  const [, base64] = /<script type="text\/plain" id="data">([^<]*)</.exec(html) ?? [];
  return readBlock(base64);
}

/** What a page of a trace carries. */
export async function pageOf(
  path: string,
  { exactRows, selection }: { exactRows?: number; selection?: Selection } = {},
): Promise<Page> {
  const reader = await openTrace(path);
  const page = new ReportPage(exactRows);
  const passes = page.passes(reader.clock);
  const analysis = analyzeTrace(reader, {
    analyses: [...analyses, passes.timeline, passes.distributions],
    selection,
  });
  page.add({ name: path, summary: summarizeTrace(reader, analysis), tables: analysis.tables, passes });
  reader.close();
  return readPage(page.render('a page', null));
}
