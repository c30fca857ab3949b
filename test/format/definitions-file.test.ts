import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserError, UserErrors } from '../../src/base/errors.ts';
import { EventCatalog, loadCatalog, parseDefinitions, readBuiltInSources } from '../../src/format/index.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'xenscope-formats-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** The messages of all mistakes in `text`, a line each. */
function mistakesOf(text: string): string {
  try {
    parseDefinitions(text, 'my.yaml', readBuiltInSources());
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  }
  return '';
}

const GOOD = `class: mine
events:
  - id: 0x00022101
    name: TRC_MINE
    layouts:
      - words: 2
        fields:
          - { name: a, offset: 0, width: 16 }
          - { name: b, offset: 32, width: 32, signed: true, unit: ns }
`;

describe("a user's definitions", () => {
  test('add a class of their own', () => {
    const catalog = loadCatalog([write('good.yaml', GOOD)]);
    const layout = catalog.layouts[catalog.layoutIndex(0x22101, 2)]!;
    expect(layout.event).toMatchObject({ name: 'TRC_MINE', className: 'mine', doc: '', tsc: true });
    expect(
      layout.fields.map(({ name, offset, width, signed, unit }) => [name, offset, width, signed, unit]),
    ).toEqual([
      ['a', 0, 16, false, undefined],
      ['b', 32, 32, true, 'ns'],
    ]);
    expect(catalog.classes.find(({ name }) => name === 'mine')?.columns.map(({ name }) => name)).toEqual([
      'a',
      'b',
    ]);
    expect(EventCatalog.builtIn().layoutIndex(0x22101, 2)).toBe(0);
  });

  test('mean the same in JSON', () => {
    const json = JSON.stringify({
      class: 'mine',
      events: [
        {
          id: '0x00022101',
          name: 'TRC_MINE',
          layouts: [
            {
              words: 2,
              fields: [
                { name: 'a', offset: 0, width: 16 },
                { name: 'b', offset: 32, width: 32, signed: true, unit: 'ns' },
              ],
            },
          ],
        },
      ],
    });
    expect(parseDefinitions(json, 'x.json', [])).toEqual(parseDefinitions(GOOD, 'x.yaml', []));
  });

  test('replace the layout of an equal number of words and leave the others', () => {
    const text = `class: sched_core
events:
  - id: 0x2800e
    name: TRC_SCHED_SWITCH_INFPREV
    layouts: [{ words: 3, since: 4.10, fields: [{ name: run_ns, offset: 0, width: 64, unit: ns }] }]
`;
    const before = EventCatalog.builtIn().eventById(0x2800e)!;
    const after = loadCatalog([write('replace.yaml', text)]).eventById(0x2800e)!;
    expect(after.layouts.map(({ words }) => words)).toEqual([2, 3]);
    expect(after.layouts[0]!.fields).toEqual(before.layouts[0]!.fields);
    expect(after.layouts[1]!.fields.map(({ name }) => name)).toEqual(['run_ns']);
    expect(after.layouts[1]!.since).toBe('4.10');
  });

  test('replace an event of another name whole', () => {
    const text = `class: mine
events: [{ id: 0x2800e, name: TRC_OTHER, layouts: [{ words: 1, fields: [] }] }]
`;
    const catalog = loadCatalog([write('whole.yaml', text)]);
    expect(catalog.eventById(0x2800e)).toMatchObject({ name: 'TRC_OTHER', className: 'mine' });
    expect(catalog.layoutIndex(0x2800e, 3)).toBe(0);
    expect(catalog.eventByName('TRC_SCHED_SWITCH_INFPREV')).toBeUndefined();
  });

  test('win over earlier files', () => {
    const second = GOOD.replace('name: a', 'name: c');
    const catalog = loadCatalog([write('one.yaml', GOOD), write('two.yaml', second)]);
    expect(catalog.eventByName('TRC_MINE')!.layouts[0]!.fields[0]!.name).toBe('c');
  });

  test('may say with an anchor what they repeat', () => {
    const text = `class: mine
events:
  - { id: 0x22101, name: TRC_A, layouts: [{ words: 1, fields: &f [{ name: a, offset: 0, width: 8 }] }] }
  - { id: 0x22102, name: TRC_B, layouts: [{ words: 1, fields: *f }] }
`;
    expect(parseDefinitions(text, 'x', []).events[1]!.layouts[0]!.fields).toHaveLength(1);
  });
});

describe('a mistake in definitions is told with line and column:', () => {
  const event = (rest: string) => `class: mine\nevents:\n  - ${rest}\n`;
  const layout = (rest: string) => event(`{ id: 1, name: TRC_A, layouts: [{ ${rest} }] }`);
  const field = (rest: string) => layout(`words: 1, fields: [{ ${rest} }]`);
  test.each<[string, string, string]>([
    ['not YAML', 'class: [a\n', 'my.yaml:2:1: neither JSON nor YAML: flow sequence'],
    ['broken JSON', '{ "class": "mine", "events": [ }', 'my.yaml:1:32: neither JSON nor YAML:'],
    ['nothing', '', 'my.yaml:1:1: the file: expected a map of keys, found nothing'],
    ['a list', '- 1\n', 'my.yaml:1:1: the file: expected a map of keys, found a list'],
    ['two documents', 'class: a\nevents: []\n---\nclass: b\n', 'my.yaml:3:1: a second document begins here'],
    [
      'an unknown key',
      'class: mine\nevnets: []\nevents: []\n',
      'my.yaml:2:1: unknown key "evnets", did you mean "events"?',
    ],
    [
      'a far key',
      'class: mine\nevents: []\nzzzzzz: 1\n',
      'my.yaml:3:1: unknown key "zzzzzz", the file has "class", "events", "doc"',
    ],
    ['a key twice', 'class: mine\nclass: mine\nevents: []\n', 'my.yaml:2:1: key "class" is here twice'],
    ['a missing key', 'class: mine\n', 'my.yaml:1:1: the file without "events"'],
    ['no list', 'class: mine\nevents: 7\n', 'my.yaml:2:9: events: expected a list, found 7'],
    [
      'a bad class',
      'class: My Class\nevents: []\n',
      'my.yaml:1:8: expected the name of a class, in snake_case, found "My Class"',
    ],
    ['a reserved class', 'class: waits\nevents: []\n', 'my.yaml:1:8: "waits" is the name of another table'],
    ['an event that is none', event('TRC_A'), 'my.yaml:3:5: an event: expected a map of keys, found "TRC_A"'],
    ['no layouts', event('{ id: 1, name: TRC_A }'), 'my.yaml:3:5: an event without "layouts"'],
    [
      'an id of words',
      event('{ id: high, name: TRC_A, layouts: [] }'),
      'my.yaml:3:11: expected a number of at most 28 bits, as 0x0002200c, found "high"',
    ],
    [
      'an id too large',
      event('{ id: 0x10000000, name: TRC_A, layouts: [] }'),
      'my.yaml:3:11: expected a number of at most 28 bits, as 0x0002200c, found 0x10000000',
    ],
    [
      'an id with a fraction',
      event('{ id: 1.5, name: TRC_A, layouts: [] }'),
      'my.yaml:3:11: expected a number of at most 28 bits',
    ],
    [
      'a bad name',
      event('{ id: 1, name: a-b, layouts: [] }'),
      'my.yaml:3:20: expected a name, as TRC_MY_EVENT, found "a-b"',
    ],
    [
      'tsc',
      event('{ id: 1, name: TRC_A, tsc: maybe, layouts: [] }'),
      'my.yaml:3:32: expected true or false, found "maybe"',
    ],
    [
      'too many words',
      layout('words: 8, fields: []'),
      'my.yaml:3:46: expected the number of extra words, 0 to 7, found 8',
    ],
    [
      'a width of no bits',
      field('name: a, offset: 0, width: 0'),
      'expected a width in bits, 1 to 64, found 0',
    ],
    [
      'a negative offset',
      field('name: a, offset: -1, width: 1'),
      'expected an offset in bits, 0 to 223, found -1',
    ],
    [
      'a capital field',
      field('name: A, offset: 0, width: 1'),
      'expected the name of a field, in snake_case, found "A"',
    ],
    ['a doc of yes', field('name: a, offset: 0, width: 1, doc: true'), 'expected a sentence, found true'],
    [
      'values',
      field('name: a, offset: 0, width: 1, values: { x: y }'),
      'expected a number as a value\'s key, found "x"',
    ],
    [
      'a field beyond the words',
      field('name: a, offset: 30, width: 3'),
      'my.yaml:3:58: field "a" ends at bit 33, but 1 words have 32 bits',
    ],
    [
      'overlapping fields',
      layout('words: 1, fields: [{ name: a, offset: 0, width: 9 }, { name: b, offset: 8, width: 8 }]'),
      'my.yaml:3:92: field "b" overlaps field "a"',
    ],
    [
      'a field name twice',
      layout('words: 1, fields: [{ name: a, offset: 0, width: 8 }, { name: a, offset: 8, width: 8 }]'),
      'my.yaml:3:92: two fields of the name "a" in one layout',
    ],
    [
      'a layout twice',
      event('{ id: 1, name: TRC_A, layouts: [{ words: 1, fields: [] }, { words: 1, fields: [] }] }'),
      'my.yaml:3:63: TRC_A has two layouts of 1 words',
    ],
    [
      'an id twice',
      'class: mine\nevents:\n  - { id: 1, name: TRC_A, layouts: [] }\n  - { id: 0x1, name: TRC_B, layouts: [] }\n',
      'my.yaml:4:11: event 0x00000001 is in line 3 already',
    ],
    [
      'a name twice',
      'class: mine\nevents:\n  - { id: 2, name: TRC_A, layouts: [] }\n  - { id: 1, name: TRC_A, layouts: [] }\n',
      'my.yaml:4:11: the name TRC_A belongs to event 0x00000002 as well',
    ],
    [
      "a name of Xen's",
      event('{ id: 1, name: TRC_SCHED_WAKE, layouts: [] }'),
      'my.yaml:3:11: the name TRC_SCHED_WAKE belongs to event 0x00028004 as well',
    ],
    [
      "another name of one of Xen's events",
      event('{ id: 1, name: TRC_A, aliases: [TRC_HVM_VMX_EXIT], layouts: [] }'),
      'my.yaml:3:11: the name TRC_HVM_VMX_EXIT belongs to event 0x00081002 as well',
    ],
    [
      'a field that differs from its column',
      'class: credit\nevents:\n  - id: 0x22101\n    name: TRC_A\n    layouts:\n      - words: 1\n        fields:\n' +
        '          - { name: run_ns, offset: 0, width: 32, signed: true, unit: ns }\n',
      'my.yaml:8:13: field "run_ns" differs from another of its name in the class, which is unsigned, in ns',
    ],
  ])('%s', (_what, text, message) => {
    expect(mistakesOf(text)).toContain(message);
    if (!message.includes('neither')) expect(mistakesOf(text).split('\n')).toHaveLength(1);
  });

  test('all of them, in the order of the text', () => {
    const text = `clas: mine
events:
  - id: 0x22101
    name: 7-up
    layouts:
      - words: nine
        fields:
          - { name: a, offset: 0, widht: 8 }
  - id: 0x22102
    name: TRC_B
    layouts: none
`;
    expect(mistakesOf(text).split('\n')).toEqual([
      'my.yaml:1:1: unknown key "clas", did you mean "class"?',
      'my.yaml:1:1: the file without "class"',
      'my.yaml:4:11: expected a name, as TRC_MY_EVENT, found "7-up"',
      'my.yaml:6:16: expected the number of extra words, 0 to 7, found "nine"',
      'my.yaml:8:13: a field without "width"',
      'my.yaml:8:35: unknown key "widht", did you mean "width"?',
      'my.yaml:11:14: layouts: expected a list, found "none"',
    ]);
  });

  test('at most fifty', () => {
    const text = `class: mine\nevents: [${'7, '.repeat(500)}]\n`;
    const lines = mistakesOf(text).split('\n');
    expect(lines).toHaveLength(51);
    expect(lines.at(-1)).toMatch(/and more mistakes from here on$/);
  });

  test('with a stable code for programs', () => {
    const codes = ['class: [', 'class: mine', 'class: 1 2\nevents: []', 'class: meta\nevents: []'].map(
      (text) => {
        try {
          parseDefinitions(text, 'x', []);
        } catch (error) {
          return (error as UserError).code;
        }
        return 'none';
      },
    );
    expect(codes).toEqual([
      'definitions-syntax',
      'definitions-key',
      'definitions-value',
      'definitions-conflict',
    ]);
  });

  test('files that cannot be read, each with its reason', () => {
    expect(() => loadCatalog([join(folder, 'missing.yaml')])).toThrow(
      /^cannot read .*missing\.yaml: there is no such file$/,
    );
    expect(() => loadCatalog([folder])).toThrow(/: it is a directory$/);
  });
});

describe('whatever the text, the result is a catalog or a UserError:', () => {
  const sample = `${GOOD.repeat(1)}  - { id: 0x2800e, name: TRC_X, tsc: false, aliases: [Y], layouts: [] }\n`;
  const outcome = (text: string) => {
    try {
      const source = parseDefinitions(text, 'x', readBuiltInSources());
      return new EventCatalog([...readBuiltInSources(), source]);
    } catch (error) {
      if (error instanceof UserErrors) for (const each of error.errors) expect(each.position).toBeDefined();
      expect(error, text).toBeInstanceOf(UserError);
      return undefined;
    }
  };

  test('mutated definitions', () => {
    const snippets = [
      '{',
      '}',
      '[',
      ']',
      ':',
      '-',
      '&a ',
      '*a',
      '!!',
      '"',
      "'",
      '\n',
      '  ',
      '#',
      '|',
      '0x',
      '~',
      '? ',
    ];
    const edit = fc.record({
      at: fc.nat(sample.length),
      cut: fc.nat(12),
      put: fc.oneof(fc.constantFrom(...snippets), fc.string({ maxLength: 4 })),
    });
    let catalogs = 0;
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let text = sample;
        for (const { at, cut, put } of edits) text = text.slice(0, at) + put + text.slice(at + cut);
        if (outcome(text)) catalogs++;
      }),
      { numRuns: 3000 },
    );
    expect(catalogs).toBeGreaterThan(0);
  });

  test('any JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        outcome(text);
      }),
    );
  });

  test('aliases that would blow up', () => {
    const lines = ['class: mine', 'events:', '  - &e0 { id: 1, name: TRC_A, layouts: [] }'];
    for (let i = 1; i < 40; i++) lines.push(`  - &e${i} [*e${i - 1}, *e${i - 1}]`);
    expect(outcome(lines.join('\n'))).toBeUndefined();
  });

  test('deep nesting', () => {
    expect(outcome('['.repeat(100_000))).toBeUndefined();
    expect(outcome(`class: ${'{a: '.repeat(5000)}`)).toBeUndefined();
  });
});
