import { type Check, type Experiment, type Verdict, verdictOf } from './experiment.ts';

/** An experiment and what came out. */
export interface Report {
  readonly experiment: Experiment;
  readonly checks: readonly Check[];
}

const BEGIN = '<!-- results: written by npm run experiments -->';
const END = '<!-- end of results -->';

/** `text` of docs/experiments.md with these results in the place of what stood there. */
export function writeReports(text: string, reports: readonly Report[]): string {
  const from = text.indexOf(BEGIN) + BEGIN.length;
  const to = text.indexOf(END);
  if (to < from) throw new Error('docs/experiments.md lacks the marks between which the results stand');
  return `${text.slice(0, from)}\n\n${markdown(reports)}\n${text.slice(to)}`;
}

function markdown(reports: readonly Report[]): string {
  const lines = [countsOf(reports), ''];
  for (const { experiment, checks } of reports) {
    lines.push(`### ${experiment.id}. ${experiment.title}`, '', experiment.about, '');
    lines.push('| what is checked | expected | got | verdict |', '|---|---|---|---|');
    const whys: string[] = [];
    for (const check of checks) {
      const why = check.instead?.why;
      if (why !== undefined && !whys.includes(why)) whys.push(why);
      const mark = why === undefined ? '' : ` (${whys.indexOf(why) + 1})`;
      lines.push(`| ${check.what} | ${expectedOf(check)} | ${gotOf(check)} | ${verdictOf(check)}${mark} |`);
    }
    lines.push('', ...whys.map((why, index) => `${index + 1}. ${why}`));
    if (whys.length > 0) lines.push('');
    lines.push(...(experiment.notes ?? []).map((note) => `- ${note}`));
    if (experiment.notes) lines.push('');
  }
  return lines.join('\n');
}

/** The table for a terminal. */
export function reportText({ experiment, checks }: Report): string {
  const rows = checks.map((check) => [check.what, expectedOf(check), gotOf(check), verdictOf(check)]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`);
  return [`${experiment.id}. ${experiment.title}`, ...lines].join('\n');
}

export function countsOf(reports: readonly Report[]): string {
  const verdicts = reports.flatMap(({ checks }) => checks.map(verdictOf));
  const count = (verdict: Verdict) => verdicts.filter((candidate) => candidate === verdict).length;
  const sentence = `${reports.length} experiments, ${verdicts.length} checks: ${count('holds')} hold`;
  const failures = count('FAILS') === 0 ? '' : `, ${count('FAILS')} FAIL`;
  return `${sentence}, ${count('differs')} differ as explained${failures}.`;
}

function expectedOf({ expected, unit, tag, published }: Check): string {
  const shape = `${withUnit(expected.text, unit)} [${tag}]`;
  return published === undefined ? shape : `${shape} (${published})`;
}

function gotOf({ got, unit }: Check): string {
  return withUnit(String(Number(got.toPrecision(5))), unit);
}

function withUnit(text: string, unit: string | undefined): string {
  return unit === undefined ? text : `${text} ${unit}`;
}
