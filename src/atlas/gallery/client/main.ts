/** The script of the gallery's pages. @module */
import { mountFinder } from './finder.ts';

/** Formulas that are wider than the page get a scroll bar of their own; the others keep their line. */
function fitFormulas(): void {
  for (const base of document.querySelectorAll<HTMLElement>('.katex-html > .base')) {
    const column = base.closest('p, li, dd, h1, h2, h3, blockquote');
    base.classList.remove('wide');
    if (column !== null && base.getBoundingClientRect().width > column.clientWidth) base.classList.add('wide');
  }
}

const finder = document.querySelector<HTMLFormElement>('#finder');
if (finder !== null) mountFinder(finder);
fitFormulas();
void document.fonts.ready.then(fitFormulas);
window.addEventListener('resize', fitFormulas);
