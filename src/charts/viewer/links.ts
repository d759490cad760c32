/** Marks that mean one thing light up together: hovering one highlights the others. @module */

const KEY = 'data-link';

/** Follows the pointer and the focus over everything that carries a `data-link`; equal values are one thing. */
export function linkMarks(root: Document): void {
  let current = '';
  const show = (key: string): void => {
    if (key === current) return;
    root.querySelectorAll('.linked').forEach((mark) => { mark.classList.remove('linked'); });
    current = key;
    if (key !== '') root.querySelectorAll(`[${KEY}="${CSS.escape(key)}"]`).forEach((mark) => { mark.classList.add('linked'); });
  };
  const keyOf = (target: EventTarget | null): string => (target instanceof Element ? target.closest(`[${KEY}]`)?.getAttribute(KEY) ?? '' : '');
  root.addEventListener('pointerover', (event) => { show(keyOf(event.target)); });
  root.addEventListener('focusin', (event) => { show(keyOf(event.target)); });
}
