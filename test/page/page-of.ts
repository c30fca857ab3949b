import { analyses, analyzeTrace, type Selection } from '../../src/analysis/index.ts';
import { openTrace } from '../../src/decoder/index.ts';
import { type Block, readBlock } from '../../src/page/browser/read-block.ts';
import { ReportPage, TimelinePass } from '../../src/page/index.ts';
import type { PageData } from '../../src/page/page-data.ts';
import { summarizeTrace } from '../../src/report/index.ts';

/** A page of a trace, as its HTML text, and what it carries, read back as the browser reads it. */
export async function pageOf(
  path: string,
  { exactRows, selection }: { exactRows?: number; selection?: Selection } = {},
): Promise<{ html: string; data: PageData; block: Block }> {
  const reader = await openTrace(path);
  const timeline = new TimelinePass(reader.clock);
  const analysis = analyzeTrace(reader, { analyses: [...analyses, timeline], selection });
  const page = new ReportPage(exactRows);
  page.add({ name: path, summary: summarizeTrace(reader, analysis), tables: analysis.tables, timeline });
  reader.close();
  const html = page.render('a page', null);
  const [, base64] = /<script type="text\/plain" id="data">([^<]*)</.exec(html) ?? [];
  return { html, ...(await readBlock(base64)) };
}
