/** Style sheet of the report page: one column of text with figures, a table of contents beside it where there is room. @module */
import { FONT_STACK, SERIF_STACK, themeCss } from './theme.ts';

const PAGE = `
*{box-sizing:border-box}
html{background:var(--thalweg-page);color:var(--thalweg-ink);font:18px/1.6 ${SERIF_STACK};-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;display:grid;grid-template-columns:minmax(0,1fr);justify-content:center}
header,main,footer,nav.contents{width:100%;max-width:47rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:4rem}
h1{font-size:2.35rem;line-height:1.15;letter-spacing:-.015em;margin:0 0 .6rem;text-wrap:balance}
.subtitle-line{font-size:1.15rem;color:var(--thalweg-muted);margin:0;text-wrap:pretty}
h2{font-size:1.55rem;line-height:1.25;letter-spacing:-.01em;margin:4rem 0 .8rem;scroll-margin-top:1.5rem}
p{margin:0 0 1rem;hyphens:auto;text-wrap:pretty;overflow-wrap:break-word}
a{color:inherit;text-decoration-color:var(--thalweg-muted);text-decoration-thickness:1px;text-underline-offset:.2em}
a:hover{color:var(--thalweg-blue)}
a:focus-visible{outline:2px solid var(--thalweg-blue);outline-offset:3px}
.summary{display:grid;grid-template-columns:repeat(auto-fill,minmax(13.5rem,1fr));gap:0 2rem;margin:2.5rem 0 0;border-top:2px solid var(--thalweg-ink)}
.summary>div{padding:.9rem 0 1rem;border-bottom:1px solid var(--thalweg-grid)}
.summary dt{font:600 .74rem/1.4 ${FONT_STACK};color:var(--thalweg-muted)}
.summary dd{margin:0}
.summary .value{font:600 1.12rem/1.45 ${FONT_STACK};letter-spacing:-.01em;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.summary .value .error{display:inline-block;white-space:pre;font-weight:400;color:var(--thalweg-muted)}
.summary .note{font-size:.84rem;line-height:1.45;color:var(--thalweg-muted)}
nav.contents{margin-top:2.5rem;font:.86rem/1.5 ${FONT_STACK}}
nav.contents h2{font:600 .74rem/1.4 ${FONT_STACK};color:var(--thalweg-muted);margin:0 0 .4rem;letter-spacing:0}
nav.contents ol{margin:0;padding:0;list-style:none;columns:2;column-gap:2rem}
nav.contents li{break-inside:avoid;padding:.22rem 0}
nav.contents a{text-decoration:none}
figure{margin:1.8rem 0 2.2rem}
figure svg{display:block;width:100%;height:auto}
.plate{background:var(--thalweg-paper);border:1px solid var(--thalweg-grid);border-radius:6px;padding:.8rem}
figcaption,caption{font:.82rem/1.5 ${FONT_STACK};color:var(--thalweg-muted);text-align:left}
figcaption{margin-top:.65rem;max-width:40rem}
.scroll{overflow-x:auto;margin:1.8rem 0 2.2rem}
table{border-collapse:collapse;width:100%;font:.84rem/1.45 ${FONT_STACK};font-variant-numeric:tabular-nums}
caption{caption-side:bottom;padding-top:.65rem}
th,td{padding:.42rem .9rem .42rem 0;text-align:left;vertical-align:baseline;border-bottom:1px solid var(--thalweg-grid)}
th:last-child,td:last-child{padding-right:0}
thead th{font-weight:600;border-bottom:2px solid var(--thalweg-ink);white-space:nowrap}
.number{text-align:right;white-space:nowrap}
[data-link]{transition:filter .12s}
svg [data-link]{cursor:default}
svg .linked{stroke:var(--thalweg-vermillion)!important;stroke-opacity:1!important;filter:drop-shadow(0 0 3px var(--thalweg-vermillion))}
tr.linked td{background:color-mix(in srgb,var(--thalweg-vermillion) 14%,transparent)}
.crosshair{fill:none;stroke:#fff;stroke-width:1.2;stroke-dasharray:3,3;pointer-events:none}
.surface-stage{height:min(26rem,70vh);touch-action:pan-y}
.surface-stage canvas{display:block;width:100%!important;height:100%!important;cursor:grab}
.surface-stage canvas:focus-visible{outline:2px solid var(--thalweg-blue)}
.surface-bar{display:flex;gap:1rem;align-items:center;font:.82rem/1.5 ${FONT_STACK};flex-wrap:wrap}
.surface-reset{margin-left:auto;font:inherit;color:inherit;background:none;border:1px solid var(--thalweg-grid);border-radius:4px;padding:.1rem .6rem;cursor:pointer}
.surface-reading{display:block;font:.82rem/1.5 ${FONT_STACK};font-variant-numeric:tabular-nums;color:var(--thalweg-muted);min-height:1.3em}
[data-state=absent] .surface-stage,[data-state=absent] .surface-bar{display:none}
footer{padding-top:3.5rem;padding-bottom:5rem}
footer h2{margin-top:0;font-size:1.15rem}
.provenance{display:grid;grid-template-columns:minmax(8rem,max-content) minmax(0,1fr);gap:.3rem 1.5rem;margin:0;font:.82rem/1.5 ${FONT_STACK}}
.provenance dt{color:var(--thalweg-muted)}
.provenance dd{margin:0;overflow-wrap:anywhere}
@media (min-width:1180px){
body{grid-template-columns:15rem minmax(0,47rem) 7rem;column-gap:2.5rem;grid-template-areas:"h h h" "toc header ." "toc main ." "toc footer ."}
header{grid-area:header}main{grid-area:main}footer{grid-area:footer}
nav.contents{grid-area:toc;position:sticky;top:0;align-self:start;max-height:100vh;overflow-y:auto;margin:0;padding-top:4.6rem}
nav.contents ol{columns:1}
}
@media (max-width:520px){
html{font-size:17px}header{padding-top:2.2rem}h1{font-size:1.85rem}h2{margin-top:3rem;font-size:1.4rem}
nav.contents ol{columns:1}.plate{padding:.3rem;margin-inline:-.6rem}.summary{grid-template-columns:1fr}
.provenance{grid-template-columns:1fr;gap:0}.provenance dd{margin-bottom:.5rem}
th,td{padding-right:.7rem}
}
@media print{
html{font-size:10.5pt;background:#fff}body{display:block}header,main,footer{max-width:none;padding-left:0;padding-right:0}header{padding-top:0}
nav.contents,.surface{display:none}figure,table,.summary>div{break-inside:avoid}h2{break-after:avoid}.plate{border:0;padding:0}a{text-decoration:none}
}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
`;

/** The whole style sheet; nothing in it refers outside the file. */
export const reportCss = (): string =>
  `:root{color-scheme:light dark;--thalweg-page:#fbfaf7}@media screen and (prefers-color-scheme:dark){:root{--thalweg-page:#11151b}}${themeCss(':root')}${PAGE}`;
