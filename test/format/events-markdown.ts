import type {
  ClassDefinition,
  ClassSource,
  EventCatalog,
  EventDefinition,
  FieldDefinition,
  LayoutDefinition,
} from '../../src/format/index.ts';

/** A file of `formats/older/`. */
export interface OlderFile {
  readonly path: string;
  readonly source: ClassSource;
}

/** docs/events.md, from the definitions: the test holds the file equal to this. */
export function eventsMarkdown(catalog: EventCatalog, older: readonly OlderFile[]): string {
  const sections = [INTRODUCTION, contents(catalog), FORM, changes(catalog), olderFiles(catalog, older)];
  return `${[...sections, ...catalog.classes.map(classSection)].join('\n\n')}\n`;
}

const FORM = `## The form of a definition file

JSON or YAML, one class a file. All keys without a mark are needed.

| where | key | holds |
|---|---|---|
| file | \`class\` | the class, in snake_case: the name of the Arrow table. It may be new, or one of those below |
| | \`doc\` (optional) | a sentence on the class |
| | \`events\` | a list of events |
| event | \`id\` | 28 bits; a number, or in JSON a string as \`"0x0002200c"\` |
| | \`name\` | as C has it; no two events share one |
| | \`doc\` (optional) | a sentence |
| | \`tsc\` (optional) | false: recorded without a cycle count |
| | \`aliases\` (optional) | a list of other names that it has had |
| | \`layouts\` | a list of layouts; empty: the event has a name and is otherwise not known |
| layout | \`words\` | the number of extra words, 0 to 7 |
| | \`since\`, \`until\` (optional) | the first and the last Xen release that has it |
| | \`doc\` (optional) | a sentence |
| | \`fields\` | a list of fields; bits that belong to no field are passed over |
| field | \`name\` | in snake_case: the column of the table |
| | \`offset\`, \`width\` | in bits, from bit 0 of the first extra word; 1 to 64 bits wide |
| | \`signed\` (optional) | true: two's complement |
| | \`unit\` (optional) | \`dom\`, \`vcpu\`, \`pcpu\`, \`ns\`, \`us\`, \`tsc\`, \`bool\`, \`bytes\`, \`count\` or any other word |
| | \`values\` (optional) | a map from values to their names |
| | \`none\` (optional) | the value that says that there is none; null in the tables |
| | \`doc\` (optional) | a sentence |

In \`formats/\` itself, every class, event and field has its sentence. Fields of one name in a class are one column: they
agree in \`signed\` and \`unit\`. A user's layout replaces the one of the same event and number of words and leaves the
others; an event of a known id under another name or in another class replaces that event whole. Of several files, the
later wins. A mistake is told with its line and column, and nothing is read.`;

const INTRODUCTION = `# Trace events

<!-- Generated from formats/ by test/format/events-markdown.ts; the tests hold it equal. Do not edit. -->

What the records of a trace mean: every event of Xen's public trace.h and of its schedulers (credit, credit2, RTDS and
null; SEDF's are xenscope's, ARINC653 has none of its own), since the record format of Xen 3.2, and xenscope's own. Older Xen wrote another
format of files. The definitions are data, in \`formats/\`, one file for each class of events; each class is one Arrow
table. \`--formats FILE\` adds definitions for a patched hypervisor, see
[samples/formats/patched-credit.yaml](../samples/formats/patched-credit.yaml).

**Layouts** are keyed by (event, number of extra words), because they changed over the years and a trace does not say
which Xen wrote it. Fields are given as \`name[first bit..last bit]\`, counted from bit 0 of the first extra word; words
are little-endian. *Signed* fields are two's complement. A combination that is not listed here is shown raw and counted.

**Since** is the first Xen release with the event in that layout, **until** the last; without it the newest (4.22, and
the development tree of 2026) has it.

**Names** are Xen's, and where it changed them mostly the newest; the others are given as well. Some of Xen's events have no name of their own in C, or share one; these do here:

| name | means |
|---|---|
| \`TRC_SCHED_RUNSTATE_CHANGE_running_blocked\` | TRC_SCHED_RUNSTATE_CHANGE with the old runstate in bits 8 and 9 and the new one in bits 4 and 5 |
| \`TRC_PV_TRAP64\`, \`TRC_HVM_IOMEM_READ64\` | the event with TRC_64_FLAG (0x100): addresses have 64 bits |
| \`TRC_HVM_VMENTRY_NESTED\` | the event with TRC_HVM_NESTEDFLAG (0x400) |
| \`TRC_SHADOW_FIXUP_PAE\`, \`TRC_SHADOW_FIXUP_64\` | the event for guests with 3 and 4 levels of page tables (0x100, 0x200) |
| \`TRC_SCHED_WAKE_3_3\`, \`TRC_PV_TRAP_4_2\` | the event under the number that it had up to Xen 3.3, or 4.2 |

**Domains** above 32751 are Xen's own: 32767 is the idle domain, whose vCPU n is the idle loop of pCPU n.`;

function contents(catalog: EventCatalog): string {
  const rows = catalog.classes.map(({ name, events, doc }) => {
    const count = events.reduce((sum, event) => sum + event.layouts.length, 0);
    return `| [${name}](#${name}) | ${events.length} | ${count} | ${doc} |`;
  });
  const total = `| all | ${catalog.events.length} | ${catalog.layouts.length - 1} | |`;
  return ['| class | events | layouts | |', '|---|---|---|---|', ...rows, total].join('\n');
}

function changes(catalog: EventCatalog): string {
  const changed = catalog.events.filter((event) => hasChanged(event));
  const rows = changed.map((event) => {
    const spans = event.layouts.map((layout) => `${layout.words}: ${span(layout)}`);
    return `| \`${event.name}\` | ${spans.join('; ')} |`;
  });
  return `## Layouts that changed

Events whose number of words tells which Xen made them (HVM handlers apart: Xen 3.4 to 4.0 gave all of them, and
entries and exits, a last word that is not set).

| event | words: releases |
|---|---|
${rows.join('\n')}`;
}

function hasChanged(event: EventDefinition): boolean {
  return event.layouts.some(({ since, until }) => {
    return until !== undefined && until !== '4.0' && event.layouts.some((other) => other.since !== since);
  });
}

function olderFiles(catalog: EventCatalog, older: readonly OlderFile[]): string {
  const rows = older.map(({ path, source }) => {
    const pairs = source.events.map(({ id, name, layouts }) => {
      const words = layouts.map((layout) => layout.words).join(', ');
      const now = catalog.eventById(Number(id));
      const kept = !now || now.name === name || now.aliases.includes(name);
      const names = kept ? `\`${name}\`` : `\`${name}\` for \`${now.name}\``;
      return `${names} (${words})`;
    });
    return `| \`${path}\` | ${source.doc} | ${pairs.join(', ')} |`;
  });
  return `## The same event and number of words, another meaning

A few times Xen changed what a record means without changing its size, or gave an event's number to another event. The
newest meaning is the one that xenscope assumes. For a trace of an older Xen, \`--formats\` with one of these files puts
the old meaning in its place.

| file | for | events (numbers of words) |
|---|---|---|
${rows.join('\n')}`;
}

function classSection({ name, doc, events, columns }: ClassDefinition): string {
  const rows = events.flatMap((event) => eventRows(event));
  const parts = [
    `## ${name}`,
    doc,
    ['| id | event | words | releases | fields |', '|---|---|---|---|---|', ...rows].join('\n'),
  ];
  if (columns.length > 0) {
    const columnRows = columns.map((column) => {
      const type = `${column.signed ? 'signed ' : ''}${column.width}`;
      const values = column.values
        ? ` ${[...column.values].map(([value, text]) => `${value} = ${text}`).join(', ')}.`
        : '';
      return `| \`${column.name}\` | ${type} | ${column.unit ?? ''} | ${column.doc}${values} |`;
    });
    parts.push(['| field | bits | unit | meaning |', '|---|---|---|---|', ...columnRows].join('\n'));
  }
  return parts.join('\n\n');
}

function eventRows(event: EventDefinition): string[] {
  const id = `0x${event.id.toString(16).padStart(8, '0')}`;
  const aliases = event.aliases.length > 0 ? ` Also ${event.aliases.join(', ')}.` : '';
  const tsc = event.tsc ? '' : ' No cycle count.';
  const what = `\`${event.name}\`<br>${event.doc}${aliases}${tsc}`;
  if (event.layouts.length === 0) return [`| ${id} | ${what} | | never | |`];
  return event.layouts.map((layout, index) => {
    const first = index === 0 ? `${id} | ${what}` : ' | ';
    const note = layout.doc ? `${layout.fields.length > 0 ? '<br>' : ''}${layout.doc}` : '';
    return `| ${first} | ${layout.words} | ${span(layout)} | ${layout.fields.map(bits).join(' ')}${note} |`;
  });
}

function span({ since, until }: LayoutDefinition): string {
  if (!since) return 'xenscope';
  if (!until) return `${since} on`;
  return since === until ? since : `${since} to ${until}`;
}

function bits({ name, offset, width }: FieldDefinition): string {
  return `${name}[${width === 1 ? offset : `${offset}..${offset + width - 1}`}]`;
}
