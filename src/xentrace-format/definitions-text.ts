import type {
  ClassDefinition,
  EventCatalog,
  EventDefinition,
  FieldDefinition,
  LayoutDefinition,
} from '../format/index.ts';
import { HYPERCALL_MASK, isMasked, TRC_TRACE_IRQ } from './record-printer.ts';

const HEAD = `# Definitions for xentrace_format and for \`xenscope format\`, made by \`xenscope format --print-defs\`.
#
# A rule goes by the event alone: where Xen changed the words of an event, it is made for the newest layout, and of
# layouts of one age for the longest; one that --formats gives goes before those of Xen. Words that a record does not
# have are shown as 0. Parts of a word stand together in hexadecimal, from the highest to the lowest: name:name where
# they fill it with equal sizes, else name[bits]. Words that may be negative, and 64-bit numbers, are in hexadecimal
# too.
`;
const TIME = 'CPU%(cpu)d  %(tsc)d (+%(reltsc)8d)';
const UNKNOWN = `0x00000000  ${TIME}  unknown 0x%(event)08x  [ ${[1, 2, 3, 4, 5, 6, 7].map(hexWord).join(' ')} ]`;

const NAME_WIDTH = 30;

/** Units of what people read in hexadecimal. */
const HEX_UNITS: ReadonlySet<string | undefined> = new Set([
  'address',
  'bits',
  'exit_reason',
  'gfn',
  'hypercall',
  'mfn',
  'msr',
  'pte',
  'trap',
  'vector',
]);

/** What {@link RecordPrinter} makes of the words of an interrupt. */
const IRQ_VALUES = ['vector = %(1)d', 'count = %(2)d', 'cycles = %(3)d', 'cycles_max = %(4)d'];

/** The rules of a definitions file for all events of the catalog, as {@link parseRules} reads them. */
export function definitionsText({ classes }: EventCatalog): string {
  return [HEAD, `${UNKNOWN}\n`, ...classes.map(classText)].join('\n');
}

function classText({ name, events }: ClassDefinition): string {
  return `# ${name}\n${events.map(ruleOf).join('\n')}\n`;
}

function ruleOf(event: EventDefinition): string {
  const id = `0x${event.id.toString(16).padStart(8, '0')}`;
  const values = valuesOf(event).join(', ');
  return `${id}  ${TIME}  ${values === '' ? event.name : `${event.name.padEnd(NAME_WIDTH)}  [ ${values} ]`}`;
}

function valuesOf(event: EventDefinition): string[] {
  if (event.id === TRC_TRACE_IRQ) return IRQ_VALUES;
  const fields = [...(newestLayout(event.layouts)?.fields ?? [])].sort((a, b) => a.offset - b.offset);
  const shown = isMasked(event.id) ? fields.filter(({ offset }) => HYPERCALL_MASK >>> offset) : fields;
  const groups: FieldDefinition[][] = [];
  for (const field of shown) {
    const group = groups.at(-1);
    if (group && firstWord(field) <= lastWord(group.at(-1)!)) group.push(field);
    else groups.push([field]);
  }
  return groups.map(groupText);
}

/** A user's before Xen's; of layouts of one age, as of records that have a word or two only at times, the longest. */
function newestLayout(layouts: readonly LayoutDefinition[]): LayoutDefinition | undefined {
  const age = ({ from, since, until, words }: LayoutDefinition) => [
    from,
    ...(until === undefined ? [Number.POSITIVE_INFINITY, 0] : releaseOf(until)),
    ...releaseOf(since ?? '0'),
    words,
  ];
  return [...layouts].sort((a, b) => compareLists(age(a), age(b))).at(-1);
}

/** `4.17` as [4, 17]. */
function releaseOf(text: string): [number, number] {
  const [major, minor = 0] = text.split('.').map(Number);
  return [major, minor];
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : a[at] < b[at] ? -1 : 1;
}

/** Fields that share words, in ascending order. */
function groupText(fields: readonly FieldDefinition[]): string {
  const first = firstWord(fields[0]);
  const last = lastWord(fields.at(-1)!);
  const label = labelOf(fields, first);
  const [{ width, signed, unit, none }] = fields;
  if (width === 32 && !signed && none === undefined && !HEX_UNITS.has(unit)) return `${label} = %(${first})d`;
  let words = '';
  for (let word = last; word >= first; word--) words += hexWord(word).slice(2);
  return `${label} = 0x${words}`;
}

function labelOf(fields: readonly FieldDefinition[], first: number): string {
  const parts: string[] = [];
  let end = (first - 1) * 32;
  const sized = fields.some(({ width }) => width !== fields[0].width) || fields.length * fields[0].width < 32;
  for (const { name, offset, width } of fields) {
    if (offset > end) parts.push(`[${offset - end}]`);
    parts.push(sized ? `${name}[${width}]` : name);
    end = offset + width;
  }
  return parts.reverse().join(':');
}

/** Numbers of words as rules have them, from 1 on. */
function firstWord({ offset }: FieldDefinition): number {
  return (offset >>> 5) + 1;
}

function lastWord({ offset, width }: FieldDefinition): number {
  return ((offset + width - 1) >>> 5) + 1;
}

function hexWord(word: number): string {
  return `0x%(${word})08x`;
}
