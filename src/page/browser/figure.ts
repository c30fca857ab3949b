import { type Attributes, h, newId } from './dom.ts';

/** A figure with a heading, a sentence on what it shows, and a button that copies its data as CSV. */
export function figure(
  title: string,
  note: string,
  csv: () => string,
  ...children: (Node | null)[]
): HTMLElement {
  const id = newId('figure');
  return h(
    'figure',
    { 'aria-labelledby': id },
    h('figcaption', {}, h('h3', { id }, title), copyButton(csv, title)),
    note === '' ? null : h('p', { class: 'note' }, note),
    ...children,
  );
}

/** Copies what `csv` gives; says whether it could. */
export function copyButton(csv: () => string, of = 'what is in view'): HTMLButtonElement {
  const button = h('button', { type: 'button', class: 'copy', 'aria-label': `copy CSV: ${of}` }, 'Copy CSV');
  button.addEventListener('click', async () => {
    const copied = await copy(csv());
    button.textContent = copied ? 'Copied' : 'Cannot copy';
    setTimeout(() => {
      button.textContent = 'Copy CSV';
    }, 1500);
  });
  return button;
}

/** Where the clipboard is out of reach, as in some viewers of mails, the older way. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h('textarea', { class: 'unseen', 'aria-hidden': 'true' });
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand('copy');
    area.remove();
    return copied;
  }
}

/** A choice among a few, for a figure. */
export function chooser(
  label: string,
  options: readonly string[],
  onChange: (index: number) => void,
  attributes: Attributes = {},
): HTMLElement {
  const select = h(
    'select',
    { ...attributes, onchange: () => onChange(select.selectedIndex) },
    ...options.map((text) => h('option', {}, text)),
  );
  return h('label', { class: 'chooser' }, `${label} `, select);
}
