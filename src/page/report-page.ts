/**
 * The page: what was found out about one trace or several, put together with the code that shows it.
 * @module
 */
import { readFileSync } from 'node:fs';
import type { ResultTable } from '../analysis/index.ts';
import type { TraceClock } from '../decoder/index.ts';
import { findingsOf, headFields, infoTable, type TraceSummary } from '../report/index.ts';
import { DomainSlots } from './domain-slots.ts';
import { packTimeline } from './pack-timeline.ts';
import { Packer } from './packer.ts';
import type { TraceData } from './page-data.ts';
import { TimelinePass } from './timeline-pass.ts';
import { WaitDistributions } from './wait-distributions.ts';

/** Single intervals, parts of waits, marks and samples on a page, unless told otherwise: about 3 MB. */
export const EXACT_ROWS_DEFAULT = 1_000_000;

/** The code and the looks, made by `npm run build`; from src/ and from dist/ alike. */
const BUNDLE = new URL('../../dist/page/browser/', import.meta.url);

/** What is known of a trace that was read to its end. */
export interface PageTrace {
  readonly name: string;
  readonly summary: TraceSummary;
  readonly tables: readonly ResultTable[];
  /** Run with the others. */
  readonly passes: PagePasses;
}

/** The passes that gather what the page itself draws of a trace. */
export interface PagePasses {
  readonly timeline: TimelinePass;
  readonly distributions: WaitDistributions;
}

/** Add the traces one by one, then render. */
export class ReportPage {
  readonly #packer = new Packer();
  readonly #traces: TraceData[] = [];
  readonly #exactRows: number;
  readonly #slots = new DomainSlots();

  /** @param exactRows for how many single intervals, parts of waits, marks and samples there is room, in all */
  constructor(exactRows = EXACT_ROWS_DEFAULT) {
    this.#exactRows = exactRows;
  }

  /** New passes, for the next trace that is added. */
  passes(clock: TraceClock): PagePasses {
    return {
      timeline: new TimelinePass(clock, this.#exactRows, this.#slots),
      distributions: new WaitDistributions(),
    };
  }

  /**
   * Puts a trace on the page; its timeline is packed now.
   *
   * @param traces how many share the room, in all
   */
  add({ name, summary, tables, passes: { timeline, distributions } }: PageTrace, traces = 1): void {
    this.#traces.push({
      name,
      head: headFields(summary),
      findings: findingsOf(tables, summary),
      diagnostics: summary.diagnostics.map(({ severity, message, advice }) => ({
        severity,
        message,
        advice,
      })),
      info: infoTable(summary),
      tables,
      distributions: distributions.curves(),
      ofChosenVcpus: summary.part.vcpus !== null,
      timeline: packTimeline(timeline, this.#packer, Math.floor(this.#exactRows / traces)),
    });
  }

  /** The HTML text: it needs no other file, and no network. */
  render(title: string, comparison: ResultTable | null): string {
    const block = this.#packer.pack({ title, traces: this.#traces, comparison });
    const read = (name: string) => readFileSync(new URL(name, BUNDLE), 'utf8');
    return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="generator" content="xenscope">
<title>${escapeHtml(title)}</title>
<style>${read('page.css')}</style>
</head>
<body>
<main id="page"><p>Reading the data in this page...</p></main>
<noscript>This page draws its figures itself and needs JavaScript; xenscope analyze gives the same figures as text.
</noscript>
<script type="text/plain" id="data">${block}</script>
<script>${read('page.js').replaceAll('</script', '<\\/script')}</script>
</body>
</html>
`;
  }
}

/** Nothing is fetched from anywhere, whatever a trace says. */
const POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:";

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
