/** As wide as texts for people are, at most. */
export const TEXT_WIDTH = 110;

/** A heading. */
export function underlined(title: string): string {
  return `${title}\n${'-'.repeat(title.length)}\n`;
}

/** Columns lined up under their headings: numbers to the right, names to the left; two spaces between. */
export function textTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  left: readonly boolean[],
): string {
  const widths = headings.map((heading, column) =>
    rows.reduce((width, row) => Math.max(width, row[column].length), heading.length),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (left[column] ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ')
      .trimEnd();
  return `${[line(headings), ...rows.map(line)].join('\n')}\n`;
}

/** Breaks prose at `width` columns, each line indented by `indent` spaces. */
export function wrapText(text: string, width: number, indent = 0): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines.map((each) => ' '.repeat(indent) + each).join('\n');
}
