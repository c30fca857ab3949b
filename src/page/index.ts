/**
 * Results and a timeline in, one HTML page out that needs nothing else: figures to look into, with the data in it.
 *
 * What the page shows of a timeline is gathered in the pass that the analyses share ({@link PagePasses}), in bounded
 * memory: equal bins for the whole trace, and every single interval of the stretches that matter most. The code that
 * runs in the browser is in browser/ and is bundled by `npm run build`. The page refuses to compute figures: they are
 * those of analysis/.
 * @module
 */
export { EXACT_ROWS_DEFAULT, type PagePasses, type PageTrace, ReportPage } from './report-page.ts';
export type { TimelinePass } from './timeline-pass.ts';
export type { WaitDistributions } from './wait-distributions.ts';
