/**
 * The timeline: lanes to zoom into, pan, search and click, for mouse and keyboard.
 * @module
 */
import { MARK_NAMES } from '../page-data.ts';
import { Curves } from './curves.ts';
import { h, newId } from './dom.ts';
import { copyButton } from './figure.ts';
import { describe, intervalDetails } from './interval-details.ts';
import { formatNs, formatTime } from './time-format.ts';
import { timelineLegend } from './timeline-legend.ts';
import { clamp, type Interval, type Lane, type TimelineModel } from './timeline-model.ts';
import { GUTTER, LANE, RULER, TimelinePainter, type View } from './timeline-painter.ts';
import { type Direction, type Found, findNext, parseSearch, SEARCH_EXAMPLES } from './timeline-search.ts';
import { viewCsv, viewTable } from './view-table.ts';

const HEIGHT_MAX = 620;
/** A view is at least so long. */
const SPAN_MIN_NS = 50;
const ZOOM = 1.6;
/** Pixels that the pointer may move in a click. */
const CLICK_SLACK = 4;
const KEYS_HELP =
  'Keys: arrows left and right move in time, plus and minus zoom, 0 shows all; up and down choose a lane, ' +
  'n and p its next and previous interval, w its next wait; Escape lets go.';

export class Timeline {
  readonly element: HTMLElement;
  readonly model: TimelineModel;
  /** Hears when another stretch of time is shown. */
  onView: ((fromNs: number, toNs: number) => void) | undefined;
  readonly #painter: TimelinePainter;
  readonly #view: View;
  readonly #canvas: HTMLCanvasElement;
  readonly #scroller: HTMLElement;
  readonly #details: HTMLElement;
  readonly #status: HTMLElement;
  readonly #range: HTMLElement;
  readonly #table: HTMLDetailsElement;
  readonly #search: HTMLInputElement;
  readonly #curves: Curves;
  /** What was searched for last, and when it was found. */
  #found: { readonly text: string; readonly tNs: number } | undefined;
  #frame = 0;
  #settled = 0;

  constructor(model: TimelineModel, name: string) {
    this.model = model;
    const { fromNs, endNs } = model.data;
    this.#canvas = h('canvas', { 'aria-hidden': 'true' });
    this.#view = {
      fromNs,
      toNs: Math.max(endNs, fromNs + SPAN_MIN_NS),
      scroll: 0,
      width: 800,
      height: 200,
      selected: undefined,
      instantNs: undefined,
      lane: Math.min(model.data.pcpus.length, model.lanes.length - 1),
      marks: MARK_NAMES.map(() => true),
    };
    const helpId = newId('keys');
    const lanesHeight = model.lanes.length * LANE + RULER;
    this.#scroller = h(
      'div',
      {
        class: 'lanes',
        tabindex: 0,
        role: 'application',
        'aria-label': `Timeline of ${name}: ${model.lanes.length} lanes`,
        'aria-describedby': helpId,
        style: `height:${Math.min(HEIGHT_MAX, lanesHeight + 2)}px`,
      },
      h('div', { class: 'lanes-room', style: `height:${lanesHeight}px` }, this.#canvas),
    );
    this.#details = h('div', { class: 'details', 'aria-live': 'polite', 'aria-label': 'What was chosen' });
    this.#status = h('p', { class: 'hover', 'aria-hidden': 'true' });
    this.#range = h('span', { class: 'range' });
    this.#search = h('input', {
      type: 'search',
      placeholder: SEARCH_EXAMPLES,
      'aria-label':
        'Search the timeline: a vCPU, a pCPU, a time, a kind of event, or a vCPU and a kind of event',
      size: 38,
      oninput: () => this.#unsay(),
    });
    this.#table = h(
      'details',
      { class: 'in-view' },
      h('summary', {}, 'What is in view, as a table'),
      h('div'),
    );
    this.#curves = new Curves(model);
    this.element = h(
      'div',
      { class: 'timeline' },
      this.#toolbar(),
      timelineLegend(model, this.#view.marks, () => this.#changed()),
      this.#scroller,
      this.#status,
      h('p', { id: helpId, class: 'note' }, KEYS_HELP),
      this.#details,
      this.#curves.element,
      this.#table,
    );
    this.#painter = new TimelinePainter(model, this.#canvas);
    this.#listen();
  }

  get shown(): readonly [fromNs: number, toNs: number] {
    return [this.#view.fromNs, this.#view.toNs];
  }

  get selected(): Interval | undefined {
    return this.#view.selected;
  }

  /** Shows a stretch of time, as far as the trace has it. `quietly`: {@link onView} does not hear of it. */
  show(fromNs: number, toNs: number, quietly = false): void {
    const { fromNs: firstNs, endNs } = this.model.data;
    const spanNs = clamp(toNs - fromNs, SPAN_MIN_NS, Math.max(SPAN_MIN_NS, endNs - firstNs));
    this.#view.fromNs = clamp(fromNs, firstNs, Math.max(firstNs, endNs - spanNs));
    this.#view.toNs = this.#view.fromNs + spanNs;
    this.#changed();
    if (!quietly) this.onView?.(this.#view.fromNs, this.#view.toNs);
  }

  /** Zooms by `factor`, with `atNs` staying where it is: unless given, what was chosen or found, or the middle. */
  zoom(factor: number, atNs = this.#centerNs()): void {
    const { fromNs, toNs } = this.#view;
    const spanNs = Math.max(SPAN_MIN_NS, (toNs - fromNs) / factor);
    const share = (atNs - fromNs) / (toNs - fromNs);
    this.show(atNs - share * spanNs, atNs + (1 - share) * spanNs);
  }

  /** Chooses an interval, brings it into view and tells of it. */
  select(interval: Interval | undefined, { bring = false } = {}): void {
    if (interval?.startNs !== this.#found?.tNs) this.#found = undefined;
    this.#view.selected = interval;
    this.#view.instantNs = undefined;
    if (interval !== undefined) {
      this.#view.lane = this.model.lanes.indexOf(interval.lane);
      this.#scrollTo(this.#view.lane);
      if (bring) this.#bring(interval.startNs, interval.endNs);
    }
    this.#details.replaceChildren(
      ...(interval === undefined ? [] : [intervalDetails(this.model, interval, (vcpu) => this.#goTo(vcpu))]),
    );
    this.#changed();
  }

  /** Shows a wait of a vCPU, and chooses it where it is on the page. */
  showWait(key: number, startNs: number, endNs: number): void {
    const marginNs = Math.max(1000, (endNs - startNs) * 0.6);
    this.show(startNs - marginNs, endNs + marginNs);
    const vcpu = this.model.data.vcpuKeys.indexOf(key);
    const lane = this.model.laneOfVcpu(vcpu);
    if (lane !== undefined) this.#choose(lane, startNs);
    this.element.scrollIntoView({ block: 'start' });
    this.#scroller.focus({ preventScroll: true });
  }

  /** The theme has changed: at once, since the page may be about to be printed. */
  useTheme(): void {
    this.#painter.useTheme();
    this.#curves.useTheme();
    this.#draw();
  }

  #toolbar(): HTMLElement {
    const button = (text: string, label: string, action: () => void) =>
      h('button', { type: 'button', 'aria-label': label, title: label, onclick: action }, text);
    const find = (direction: Direction) => () => this.#find(direction);
    const form = h(
      'form',
      {
        role: 'search',
        onsubmit: (event: Event) => {
          event.preventDefault();
          this.#find(1);
        },
      },
      this.#search,
      button('Previous', 'previous match', find(-1)),
      h('button', { type: 'submit', title: 'next match' }, 'Next'),
    );
    return h(
      'div',
      { class: 'toolbar' },
      button('−', 'zoom out', () => this.zoom(1 / ZOOM)),
      button('+', 'zoom in', () => this.zoom(ZOOM)),
      button('All', 'show the whole trace', () => this.show(0, Number.MAX_SAFE_INTEGER)),
      button('◀', 'earlier', () => this.#pan(-0.4)),
      button('▶', 'later', () => this.#pan(0.4)),
      form,
      copyButton(() => viewCsv(this.model, this.#view.fromNs, this.#view.toNs)),
      this.#range,
    );
  }

  #listen(): void {
    const canvas = this.#canvas;
    new ResizeObserver(() => this.#changed()).observe(this.#scroller);
    this.#scroller.addEventListener('scroll', () => this.#changed());
    this.#scroller.addEventListener('keydown', (event) => this.#onKey(event));
    this.#scroller.addEventListener('wheel', (event) => this.#onWheel(event), { passive: false });
    canvas.addEventListener('dblclick', (event) => this.zoom(ZOOM * 2, this.#timeAt(event.offsetX)));
    canvas.addEventListener('pointermove', (event) => this.#onHover(event));
    canvas.addEventListener('pointerleave', () => this.#tell(''));
    canvas.addEventListener('pointerdown', (event) => this.#onPointerDown(event));
    this.#table.addEventListener('toggle', () => this.#settle());
  }

  /** Drags the view, or with shift chooses the stretch to zoom into; without a move it is a click. */
  #onPointerDown(down: PointerEvent): void {
    if (down.button !== 0) return;
    const canvas = this.#canvas;
    const [fromNs, toNs] = this.shown;
    const perPixelNs = (toNs - fromNs) / (this.#view.width - GUTTER);
    let moved = false;
    canvas.setPointerCapture(down.pointerId);
    const onMove = (move: PointerEvent) => {
      const pixels = move.clientX - down.clientX;
      moved ||= Math.abs(pixels) > CLICK_SLACK;
      if (moved && !down.shiftKey) this.show(fromNs - pixels * perPixelNs, toNs - pixels * perPixelNs);
    };
    const onUp = (up: PointerEvent) => {
      canvas.removeEventListener('pointermove', onMove);
      canvas.removeEventListener('pointerup', onUp);
      canvas.removeEventListener('pointercancel', onUp);
      if (up.type === 'pointercancel') return;
      if (!moved) this.#onClick(up);
      else if (down.shiftKey) {
        const ends = [this.#timeAt(down.offsetX), this.#timeAt(up.offsetX)].sort((a, b) => a - b);
        this.show(ends[0], ends[1]);
      }
    };
    canvas.addEventListener('pointermove', onMove);
    canvas.addEventListener('pointerup', onUp);
    canvas.addEventListener('pointercancel', onUp);
  }

  #onClick(event: PointerEvent): void {
    const lane = this.#laneAt(event.offsetY);
    if (lane === undefined) return;
    this.#view.lane = this.model.lanes.indexOf(lane);
    if (event.offsetX < GUTTER) this.#changed();
    else this.#choose(lane, this.#timeAt(event.offsetX));
  }

  /** Chooses what is at an instant; where it is not on the page, tells what its bin says. */
  #choose(lane: Lane, tNs: number): void {
    const interval = this.model.intervalAt(lane, tNs);
    if (interval !== undefined) {
      this.select(interval);
      return;
    }
    this.#view.selected = undefined;
    this.#view.instantNs = undefined;
    this.#view.lane = this.model.lanes.indexOf(lane);
    this.#scrollTo(this.#view.lane);
    this.#details.replaceChildren(h('p', {}, describe(this.model, lane, tNs)));
    this.#changed();
  }

  #onHover(event: PointerEvent): void {
    const lane = this.#laneAt(event.offsetY);
    if (lane === undefined || event.offsetX < GUTTER) {
      this.#tell('');
      return;
    }
    this.#tell(describe(this.model, lane, this.#timeAt(event.offsetX)));
  }

  #tell(text: string): void {
    this.#status.textContent = text;
  }

  /** Zooms once the timeline has the focus, or with Ctrl: else the page is scrolled past it. */
  #onWheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== this.#scroller) return;
    event.preventDefault();
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      this.#pan((event.deltaX || event.deltaY) / 800);
      return;
    }
    const x = event.clientX - this.#canvas.getBoundingClientRect().left;
    this.zoom(2 ** (-event.deltaY / 240), this.#timeAt(Math.max(GUTTER, x)));
  }

  #onKey(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const actions: Record<string, () => void> = {
      ArrowLeft: () => this.#pan(-0.15),
      ArrowRight: () => this.#pan(0.15),
      ArrowUp: () => this.#step(-1),
      ArrowDown: () => this.#step(1),
      '+': () => this.zoom(ZOOM),
      '=': () => this.zoom(ZOOM),
      '-': () => this.zoom(1 / ZOOM),
      '0': () => this.show(0, Number.MAX_SAFE_INTEGER),
      n: () => this.#follow(1),
      p: () => this.#follow(-1),
      w: () => this.#nextWait(),
      Enter: () => this.#follow(0),
      Escape: () => this.select(undefined),
    };
    const action = actions[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  }

  #pan(share: number): void {
    const shift = (this.#view.toNs - this.#view.fromNs) * share;
    this.show(this.#view.fromNs + shift, this.#view.toNs + shift);
  }

  /** To the lane above or below. */
  #step(by: number): void {
    const { selected, fromNs, toNs } = this.#view;
    const next = clamp(this.#view.lane + by, 0, this.model.lanes.length - 1);
    const inView = selected !== undefined && selected.endNs > fromNs && selected.startNs < toNs;
    this.#choose(this.model.lanes[next], inView ? Math.max(selected.startNs, fromNs) : (fromNs + toNs) / 2);
  }

  /** To the interval after or before the chosen one; 0: to the one in the middle of the view. */
  #follow(by: number): void {
    const lane = this.model.lanes[this.#view.lane];
    const { selected, fromNs, toNs } = this.#view;
    const isHere = selected?.lane === lane;
    const middle = this.model.intervalAt(lane, (fromNs + toNs) / 2);
    const next = isHere && by !== 0 ? this.model.interval(lane, selected.index + by) : (middle ?? selected);
    if (next === undefined) {
      this.#say('there is no other interval of this lane on the page');
      return;
    }
    this.select(next, { bring: true });
  }

  #nextWait(): void {
    const lane = this.model.lanes[this.#view.lane];
    this.#search.value = `${lane.label} runnable`;
    this.#find(1);
  }

  #find(direction: Direction): void {
    this.#unsay();
    if (this.#search.value.trim() === '') return;
    const search = parseSearch(this.#search.value, this.model);
    if (typeof search === 'string') {
      this.#say(search);
      return;
    }
    const { selected, fromNs, toNs } = this.#view;
    const text = this.#search.value;
    const last = this.#found?.text === text ? this.#found.tNs : selected?.startNs;
    const afterNs = last ?? (direction > 0 ? fromNs - 1 : toNs + 1);
    const here = findNext(this.model, search, afterNs, direction);
    // Nothing more that way: from the other end.
    const found =
      typeof here === 'string'
        ? findNext(this.model, search, -direction * Number.POSITIVE_INFINITY, direction)
        : here;
    if (typeof found === 'string') {
      this.#say(found);
      return;
    }
    this.#showFound(found, found.tNs ?? Math.max(fromNs, afterNs));
    this.#found = { text, tNs: found.interval?.startNs ?? found.tNs ?? afterNs };
  }

  #showFound(found: Found, atNs: number): void {
    if (found.interval !== undefined) {
      this.select(found.interval, { bring: true });
      return;
    }
    if (found.tNs !== undefined) this.#center(found.tNs);
    if (found.lane === undefined) this.select(undefined);
    else this.#choose(found.lane, atNs);
    this.#view.instantNs = found.tNs;
    if (found.note !== undefined) this.#details.append(h('p', {}, found.note));
  }

  #say(text: string): void {
    this.#details.replaceChildren(h('p', { class: 'said' }, text));
  }

  /** What was said of an earlier search is not true of the next. */
  #unsay(): void {
    this.#details.querySelector('.said')?.remove();
  }

  /** Brings a stretch of time into view, and as near as it needs to be seen. */
  #bring(startNs: number, endNs: number): void {
    const { fromNs, toNs } = this.#view;
    const spanNs = toNs - fromNs;
    const lengthNs = endNs - startNs;
    const isSeen = startNs >= fromNs && endNs <= toNs;
    const isWide = lengthNs > spanNs / 200;
    if (isSeen && isWide) return;
    const wanted = isWide && lengthNs < spanNs ? spanNs : lengthNs * 6;
    const middle = (startNs + endNs) / 2;
    this.show(middle - wanted / 2, middle + wanted / 2);
  }

  /** Moves the view to have an instant in the middle, as far as the trace goes. */
  #center(tNs: number): void {
    const half = (this.#view.toNs - this.#view.fromNs) / 2;
    this.show(tNs - half, tNs + half);
  }

  /** What one looks at: what was found or chosen, where it is in view, else the middle. */
  #centerNs(): number {
    const { fromNs, toNs, instantNs, selected } = this.#view;
    const chosen = selected === undefined ? undefined : (selected.startNs + selected.endNs) / 2;
    const inView = [instantNs, chosen].find((tNs) => tNs !== undefined && tNs >= fromNs && tNs <= toNs);
    return inView ?? (fromNs + toNs) / 2;
  }

  #goTo(vcpu: number): void {
    const lane = this.model.laneOfVcpu(vcpu);
    if (lane === undefined) return;
    this.#view.lane = this.model.lanes.indexOf(lane);
    this.#scrollTo(this.#view.lane);
    this.#changed();
  }

  #scrollTo(lane: number): void {
    const top = lane * LANE;
    const room = this.#scroller.clientHeight - RULER;
    const { scrollTop } = this.#scroller;
    if (top < scrollTop || top + LANE > scrollTop + room) {
      this.#scroller.scrollTop = top - room / 2;
    }
  }

  #timeAt(x: number): number {
    const { fromNs, toNs, width } = this.#view;
    return fromNs + ((x - GUTTER) / (width - GUTTER)) * (toNs - fromNs);
  }

  #laneAt(y: number): Lane | undefined {
    if (y < RULER) return undefined;
    return this.model.lanes[Math.floor((y - RULER + this.#view.scroll) / LANE)];
  }

  #changed(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw(): void {
    this.#view.width = Math.max(GUTTER + 50, this.#scroller.clientWidth);
    this.#view.height = Math.max(RULER + LANE, this.#scroller.clientHeight);
    this.#view.scroll = this.#scroller.scrollTop;
    this.#canvas.style.width = `${this.#view.width}px`;
    this.#canvas.style.height = `${this.#view.height}px`;
    this.#painter.draw(this.#view);
    const { fromNs, toNs } = this.#view;
    const spanNs = toNs - fromNs;
    const [from, to] = [fromNs, toNs].map((tNs) => formatTime(tNs, spanNs));
    this.#range.textContent = `${from} to ${to} (${formatNs(spanNs)})`;
    clearTimeout(this.#settled);
    this.#settled = window.setTimeout(() => this.#settle(), 60);
  }

  /** What takes longer follows when the view has come to rest. */
  #settle(): void {
    const { fromNs, toNs } = this.#view;
    this.#curves.show(fromNs, toNs);
    if (this.#table.open) {
      this.#table.lastElementChild!.replaceChildren(viewTable(this.model, fromNs, toNs));
    }
  }
}
