import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { recorderOptionSpecs } from '../../src/recorder/index.ts';

const path = new URL('../../docs/recording.md', import.meta.url);
const BLOCK = /(<!-- options:.*-->\n)([\s\S]*?)(<!-- \/options -->)/;

function optionTable(): string {
  const rows = recorderOptionSpecs.map(({ short, long, argument, default: fallback, doc, xentrace }) => {
    const value = argument === undefined ? '' : ` ${argument}`;
    const letter = short === undefined ? '' : `\`-${short}${value}\`, `;
    return `| ${letter}\`--${long}${value}\` | ${doc} | ${fallback ?? ''} | ${xentrace ? 'yes' : 'no'} |`;
  });
  return ['| option | meaning | default | xentrace has it |', '|---|---|---|---|', ...rows, ''].join('\n');
}

// With UPDATE_DOCS=1 the document is written instead.
test('docs/recording.md lists the options as they are', () => {
  const text = readFileSync(path, 'utf8');
  const expected = text.replace(BLOCK, (_, open, __, close) => `${open}\n${optionTable()}\n${close}`);
  if (process.env.UPDATE_DOCS) writeFileSync(path, expected);
  else expect(text).toBe(expected);
});
