import { existsSync, readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ClassSource,
  EventCatalog,
  type FieldDefinition,
  readBuiltInSources,
  readField,
} from '../../src/format/index.ts';

const catalog = EventCatalog.builtIn();
const layouts = catalog.layouts.flatMap((layout) => layout ?? []);
const realEvents = JSON.parse(readFileSync(new URL('real-events.json', import.meta.url), 'utf8')) as {
  event: string;
  words: number;
  tsc: boolean;
}[];

function releaseNumber(release: string): number {
  const [major, minor] = release.split('.').map(Number);
  return major! * 100 + minor!;
}

describe('the built-in definitions', () => {
  test.each(realEvents)('know $event with $words words, which real Xen 4.17 records', (real) => {
    const layout = catalog.layouts[catalog.layoutIndex(Number(real.event), real.words)];
    expect(layout?.words).toBe(real.words);
    expect(layout?.event.tsc).toBe(real.tsc);
    expect(releaseNumber(layout?.until ?? '9.0')).toBeGreaterThanOrEqual(releaseNumber('4.17'));
  });

  test('know each event of the collection of real traces, where it is at hand', ({ skip }) => {
    const file = new URL('../../../shared/traces/EVENTS.json', import.meta.url);
    if (!existsSync(file)) skip('the collection of real traces is not at hand');
    const seen = JSON.parse(readFileSync(file, 'utf8')) as Record<
      string,
      Record<string, { extra_u32: string[] }>
    >;
    const pairs = Object.values(seen).flatMap((events) => {
      return Object.entries(events).flatMap(([id, { extra_u32 }]) =>
        extra_u32.map((words) => `${id}/${words}`),
      );
    });
    const known = new Set(realEvents.map(({ event, words }) => `${event}/${words}`));
    expect(pairs.filter((pair) => !known.has(pair))).toEqual([]);
  });

  // The oracle: what the definitions in C amount to, in the headers of each release from 3.2 to 4.22 (public/trace.h) and
  // in the schedulers' sources. The release is that of the header; records may have come later or never.
  test('know the number and name of each event that any Xen has defined', () => {
    const file = new URL('xen-events.json', import.meta.url);
    const headers = JSON.parse(readFileSync(file, 'utf8')) as { name: string; id: string; since: string }[];
    // These numbers went to the credit scheduler in 4.3, and no Xen ever recorded them.
    const gone = ['TRC_CSCHED2_TICK', 'TRC_CSCHED2_CREDIT_ADD', 'TRC_CSCHED2_UPDATE_LOAD'];
    const older = readdirSync(new URL('../../formats/older/', import.meta.url)).flatMap((name) => {
      const text = readFileSync(new URL(`../../formats/older/${name}`, import.meta.url), 'utf8');
      return (JSON.parse(text) as ClassSource).events;
    });
    expect(headers.length).toBeGreaterThan(200);
    const known = [...readBuiltInSources().flatMap(({ events }) => events), ...older];
    for (const { name, id, since } of headers) {
      const all = known.filter((event) => Number(event.id) === Number(id));
      const event = all.find(({ name: own, aliases = [] }) => {
        return [own.replace(/_[34]_\d$/, '').replace('_running_running', ''), ...aliases].includes(name);
      });
      if (!event && gone.includes(name) && Number(id) < 0x22200) continue;
      expect(event, `${name} ${id}`).toBeDefined();
      if (event!.aliases?.length) continue;
      for (const layout of event!.layouts) {
        expect(releaseNumber(layout.since!), name).toBeGreaterThanOrEqual(releaseNumber(since));
      }
    }
  });

  test('are in files named after their class, each event once', () => {
    const sources = readBuiltInSources();
    const names = sources.flatMap(({ events }) =>
      events.flatMap(({ name, aliases = [] }) => [name, ...aliases]),
    );
    expect(new Set(names).size).toBe(names.length);
    const ids = sources.flatMap(({ events }) => events.map(({ id }) => Number(id)));
    expect(new Set(ids).size).toBe(ids.length);
    expect(catalog.classes.map(({ name }) => name).sort()).toEqual(
      sources.map((source) => source.class).sort(),
    );
    for (const { class: name } of sources) {
      expect(existsSync(new URL(`../../formats/${name}.json`, import.meta.url)), name).toBe(true);
    }
  });

  test('name events as C does and fields in snake case', () => {
    for (const { name, className } of catalog.events) {
      expect(name).toMatch(/^TRC_[A-Z0-9_]+(_(running|runnable|blocked|offline)){0,2}$/);
      expect(className).toMatch(/^[a-z][a-z0-9_]*$/);
    }
    for (const { fields } of layouts) {
      for (const { name } of fields) expect(name).toMatch(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
    }
  });

  test('explain each class, event and field in sentences', () => {
    const docs = [
      ...catalog.classes.map(({ name, doc }) => [name, doc]),
      ...catalog.events.map(({ name, doc }) => [name, doc]),
      ...layouts.flatMap(({ event, fields }) =>
        fields.map(({ name, doc }) => [`${event.name}.${name}`, doc]),
      ),
      ...layouts.flatMap(({ event, doc }) => (doc === undefined ? [] : [[event.name, doc]])),
    ];
    for (const [name, doc] of docs) expect(doc, name).toMatch(/^([A-Z0-9]|vCPU |pCPU ).*[.]$/);
  });

  test('keep fields within their words and apart', () => {
    for (const { event, words, fields } of layouts) {
      let end = 0;
      for (const field of [...fields].sort((a, b) => a.offset - b.offset)) {
        expect(field.offset, `${event.name}/${words} ${field.name}`).toBeGreaterThanOrEqual(end);
        expect(field.width).toBeGreaterThan(0);
        expect(field.width).toBeLessThanOrEqual(64);
        end = field.offset + field.width;
      }
      expect(end, event.name).toBeLessThanOrEqual(words * 32);
      expect(new Set(fields.map(({ name }) => name)).size).toBe(fields.length);
    }
  });

  test('give fields of one name in a class one signedness and unit, all or none an enumeration', () => {
    for (const { name: className, events, columns } of catalog.classes) {
      const fields = events.flatMap(({ layouts }) => layouts.flatMap(({ fields }) => fields));
      for (const { name, signed, unit, values } of fields) {
        const column = columns.find((candidate) => candidate.name === name)!;
        expect([signed, unit, values !== undefined], `${className}.${name}`).toEqual([
          column.signed,
          column.unit,
          column.values !== undefined,
        ]);
      }
      expect(new Set(columns.map(({ name }) => name))).toEqual(new Set(fields.map(({ name }) => name)));
    }
  });

  test('name the release of each layout of Xen, the first before the last', () => {
    for (const { event, since, until } of layouts) {
      const own = ['task', 'sedf', 'bcredit', 'scheduling_domain'].includes(event.className);
      if (own) expect([since, until]).toEqual([undefined, undefined]);
      else expect(since, event.name).toMatch(/^(3\.[234]|4\.\d+)$/);
      if (until !== undefined)
        expect(releaseNumber(until), event.name).toBeGreaterThanOrEqual(releaseNumber(since!));
    }
  });

  test('have a name for each pair of runstates', () => {
    const states = ['running', 'runnable', 'blocked', 'offline'];
    for (let from = 0; from < 4; from++) {
      for (let to = 0; to < 4; to++) {
        const event = catalog.eventById(0x21001 | (from << 8) | (to << 4));
        expect(event?.name).toBe(`TRC_SCHED_RUNSTATE_CHANGE_${states[from]}_${states[to]}`);
      }
    }
  });

  // The oracle: values worked out by hand from the structures in Xen 4.17's sources.
  test.each([
    [
      'TRC_RTDS_BUDGET_BURN',
      6,
      [0x00050001, 0xffffd8f0, 0xffffffff, 10_000, 3, 0xabcdef01],
      {
        vcpu: 1,
        dom: 5,
        budget_ns: -10_000n,
        delta_ns: 10_000,
        priority_level: 3,
        has_extratime: 1,
      },
    ],
    [
      'TRC_CSCHED2_UPDATE_RUNQ_LOAD',
      6,
      [1, 0x40000, 2, 0, 0x12070003, 0xdeadbeef],
      {
        runqueue_load: 0x4000000000001n,
        balanced_load: 2n,
        instant_load: 3,
        runqueue: 7,
        shift: 18,
      },
    ],
    [
      'TRC_SCHED_SWITCH_INFNEXT',
      4,
      [32767, 2, 0, 0xffffffff],
      {
        dom: 32767,
        vcpu: 2,
        wait_ns: 0,
        slice_ns: 0xffffffff,
      },
    ],
    [
      'TRC_PV_TRAP64',
      3,
      [0x81234567, 0xffffffff, 0x00020000 | 0x8000 | 14],
      {
        ip: 0xffffffff81234567n,
        trap: 14,
        use_error_code: 1,
        error_code: 2,
      },
    ],
    [
      'TRC_LOST_RECORDS',
      4,
      [17, 0x00027fff, 5, 1],
      { lost: 17, dom: 32767, vcpu: 2, first_tsc: 0x100000005n },
    ],
    [
      'TRC_RTDS_SCHEDULE',
      1,
      [0x10010003],
      {
        scheduling_pcpu: 3,
        tasklet: 1,
        tickled: 0,
        idle: 1,
      },
    ],
  ] as const)('%s with %i words reads as Xen wrote it', (name, words, raw, expected) => {
    const event = catalog.eventByName(name)!;
    const layout = catalog.layouts[catalog.layoutIndex(event.id, words)]!;
    const extra = Uint32Array.of(99, ...raw, 99);
    expect(
      Object.fromEntries(layout.fields.map((field) => [field.name, readField(extra, 1, field)])),
    ).toEqual(expected);
  });
});

describe('EventCatalog', () => {
  const pairs = new Map(layouts.map((layout) => [layout.event.id * 8 + layout.words, layout.index]));

  test('layoutIndex() finds each layout and nothing else', () => {
    for (const { event, words, index } of layouts) {
      expect(catalog.layoutIndex(event.id, words)).toBe(index);
      expect(catalog.layouts[index]?.event).toBe(event);
      expect(catalog.eventIndexOfLayout[index]).toBe(event.index);
    }
    const near = fc.constantFrom(...layouts).chain(({ event }) => {
      return fc.tuple(
        fc.nat(0xfff).map((bits) => event.id ^ bits),
        fc.nat(7),
      );
    });
    const any = fc.tuple(fc.nat(0x0fffffff), fc.nat(7));
    fc.assert(
      fc.property(fc.oneof(near, any), ([event, words]) => {
        expect(catalog.layoutIndex(event, words)).toBe(pairs.get(event * 8 + words) ?? 0);
      }),
      { numRuns: 5000 },
    );
  });

  test('layoutIndexOfHeader() takes a header word, signed or not, with or without the cycle flag', () => {
    const { id, layouts: own } = catalog.eventByName('TRC_SCHED_SWITCH')!;
    const header = id | (4 << 28);
    for (const word of [header, header | 0x80000000, (header | 0x80000000) >>> 0]) {
      expect(catalog.layoutIndexOfHeader(word)).toBe(own[0]!.index);
    }
  });

  test('eventByName() knows all names of an event', () => {
    expect(catalog.eventByName('TRC_CSCHED_STOLEN_VCPU')).toBe(catalog.eventByName('TRC_CSCHED_STOLEN_UNIT'));
    expect(catalog.eventByName('TRC_HVM_VMX_EXIT64')?.id).toBe(0x81102);
    expect(catalog.eventByName('TRC_NOTHING')).toBeUndefined();
  });

  test('sorts classes, events and layouts', () => {
    const keys = layouts.map(({ event, words }) => event.id * 8 + words);
    expect(keys).toEqual([...keys].sort((a, b) => a - b));
    expect(catalog.events.map(({ index }) => index)).toEqual(catalog.events.map((_, i) => i));
    expect(catalog.classes[0]!.name).toBe('general');
  });
});

describe('readField()', () => {
  // The oracle: the record as one large integer.
  test('reads any field of any record exactly', () => {
    const field = fc.nat(223).chain((offset) => {
      const width = fc.integer({ min: 1, max: Math.min(64, 224 - offset) });
      return fc.record({ offset: fc.constant(offset), width, signed: fc.boolean() });
    });
    const words = fc.array(fc.oneof(fc.constantFrom(0, 0xffffffff, 0x80000000), fc.nat(0xffffffff)), {
      minLength: 7,
      maxLength: 7,
    });
    fc.assert(
      fc.property(words, field, fc.nat(3), (extra, { offset, width, signed }, base) => {
        const whole = extra.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n);
        const raw = BigInt.asUintN(width, whole >> BigInt(offset));
        const expected = signed ? BigInt.asIntN(width, raw) : raw;
        const definition: FieldDefinition = {
          name: 'x',
          offset,
          width,
          signed,
          unit: undefined,
          values: undefined,
          none: undefined,
          doc: '',
        };
        const value = readField(Uint32Array.of(...new Array(base).fill(7), ...extra), base, definition);
        expect(typeof value).toBe(width > 53 ? 'bigint' : 'number');
        expect(BigInt(value)).toBe(expected);
      }),
      { numRuns: 5000 },
    );
  });
});
