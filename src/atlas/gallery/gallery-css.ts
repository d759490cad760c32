/** Style sheet of the gallery: a page of cards, and a page to read for each paper. @module */
import { FONT_STACK, SERIF_STACK, themeCss } from '../../charts/theme.ts';
import { cardsCss } from './cards-css.ts';
import { claimsCss } from './claims-css.ts';

const MONO_STACK = 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';

const PAGE = `
*{box-sizing:border-box}
html{background:var(--thalweg-page);color:var(--thalweg-ink);font:18px/1.6 ${SERIF_STACK};-webkit-text-size-adjust:100%;scroll-behavior:smooth;scroll-padding-top:1.5rem}
body{margin:0;overflow-wrap:break-word}
h1,h2,h3{font-weight:700;line-height:1.25;letter-spacing:-.01em;text-wrap:balance}
h1{font-size:2.35rem;line-height:1.15;letter-spacing:-.015em;margin:0 0 .6rem}
h2{font-size:1.5rem;margin:0 0 .8rem}
h3{font-size:1.06rem;margin:0}
p{margin:0 0 1rem;text-wrap:pretty}
a{color:inherit;text-decoration-color:var(--thalweg-muted);text-decoration-thickness:1px;text-underline-offset:.2em}
a:hover{color:var(--thalweg-blue);text-decoration-color:currentColor}
a:focus-visible,button:focus-visible,select:focus-visible,input:focus-visible,pre:focus-visible{outline:2px solid var(--thalweg-blue);outline-offset:3px;border-radius:2px}
main:focus{outline:none}
code,pre{font-family:${MONO_STACK};font-size:.84em}
mark{background:color-mix(in srgb,var(--thalweg-vermillion) 24%,transparent);color:inherit;border-radius:2px}
.hidden{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;left:-100vw;background:var(--thalweg-paper);padding:.5rem 1rem;z-index:2}
.skip:focus{left:1rem;top:1rem}
.muted{color:var(--thalweg-muted)}
.bar{display:flex;gap:.6rem;align-items:baseline;flex-wrap:wrap;padding:1.1rem 1.5rem;font:.86rem/1.5 ${FONT_STACK}}
.bar a{text-decoration:none}
.bar .home{font-weight:600}
.bar .crumb::before{content:"/";color:var(--thalweg-muted);margin-right:.6rem}
.foot{padding:2.5rem 1.5rem 3rem;text-align:center;font:.8rem/1.5 ${FONT_STACK};color:var(--thalweg-muted)}
.kicker{font:600 .78rem/1.4 ${FONT_STACK};color:var(--thalweg-muted);margin:0}
.badges{display:flex;flex-wrap:wrap;gap:.15rem .9rem;margin:0}
.badge,.outcome{font:600 .78rem/1.5 ${FONT_STACK};white-space:nowrap}
.sign{display:inline-block;width:1.15em}
.holds>.sign,.badge.holds,.outcome.holds{color:var(--thalweg-green)}
.badge.deviation{color:var(--thalweg-blue)}
.badge.fails,.outcome.fails{color:var(--thalweg-vermillion)}
.badge.untested{color:var(--thalweg-muted)}
.katex{font-size:1.04em}
.katex-display{margin:1rem 0;overflow-x:auto;overflow-y:hidden;padding:.15rem 0}
.katex .base.wide{display:inline-block;max-width:100%;overflow-x:auto;overflow-y:hidden;vertical-align:middle;padding-bottom:.2em}
button{font:600 .82rem/1.4 ${FONT_STACK};color:inherit;background:none;border:1px solid var(--thalweg-grid);border-radius:5px;padding:.4rem .8rem;cursor:pointer}
button:hover{border-color:var(--thalweg-muted)}
`;

const ENTRY = `
.columns{display:grid;grid-template-columns:minmax(0,1fr)}
.entry main{width:100%;max-width:48rem;margin:0 auto;padding:0 1.5rem}
.entry .hero{padding-top:2rem}
.entry .hero .place{display:inline-block}
.entry .hero .authors a{text-decoration:none}
.entry .hero .authors a:hover{text-decoration:underline}
.entry .hero .authors{font:.92rem/1.55 ${FONT_STACK};color:var(--thalweg-muted);margin:0 0 1.5rem}
.entry .hero .question{font-size:1.28rem;line-height:1.45;font-style:italic;margin:0 0 1.1rem}
section{margin-top:3.4rem}
figure{margin:2.2rem 0 0}
figure svg{display:block;width:100%;height:auto}
.plate{background:var(--thalweg-paper);border:1px solid var(--thalweg-grid);border-radius:6px;padding:.8rem}
.on-narrow{display:none}
@media screen and (max-width:620px){.on-narrow{display:block}.on-wide{display:none}}
@media screen and (max-width:1000px){.broad .on-narrow{display:block}.broad .on-wide{display:none}}
.on-narrow svg{max-width:34rem;margin:0 auto}
.author{white-space:nowrap}
figcaption{font:.8rem/1.5 ${FONT_STACK};color:var(--thalweg-muted);margin-top:.5rem}
.contents{display:none}
.deviations{margin:0;padding-left:1.1rem}
.deviations li{margin-bottom:.5rem}
.built,.related{list-style:none;margin:0;padding:0;border-top:1px solid var(--thalweg-grid)}
.built li,.related li{padding:.75rem 0;border-bottom:1px solid var(--thalweg-grid)}
.built p,.related p{margin:0}
.built .from,.related .muted{font:.82rem/1.5 ${FONT_STACK};color:var(--thalweg-muted)}
.presets{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,18rem),1fr));gap:2rem}
.presets>div{min-width:0}
.presets h3{font:600 .92rem/1.4 ${FONT_STACK};border-bottom:2px solid var(--thalweg-ink);padding-bottom:.35rem;margin-bottom:.8rem}
.presets p{margin-bottom:.6rem}
.presets dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.2rem 1rem;margin:0;font:.8rem/1.5 ${FONT_STACK}}
.presets dt{color:var(--thalweg-muted)}
.presets dd{margin:0;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
.command{display:block;user-select:all;overflow-wrap:anywhere;background:var(--thalweg-paper);border:1px solid var(--thalweg-grid);border-radius:4px;padding:.25rem .55rem}
.settings{margin:0 0 1rem;font-size:.74rem;line-height:1.6;white-space:pre-wrap;overflow-wrap:anywhere;color:var(--thalweg-muted)}
.code{margin:0;padding:.9rem 0;background:var(--thalweg-paper);border:1px solid var(--thalweg-grid);border-radius:6px;overflow-x:auto;font-size:.74rem;line-height:1.55;max-height:38rem;overflow-y:auto;tab-size:2}
.code code{font-size:inherit;counter-reset:line;display:block;width:max-content;min-width:100%}
.code .line{display:block;padding-right:1rem;counter-increment:line}
.code .line::before{content:counter(line);display:inline-block;width:3.2em;padding-right:1.1em;text-align:right;color:var(--thalweg-muted);opacity:.7;user-select:none}
.code .line:target{background:color-mix(in srgb,var(--thalweg-blue) 16%,transparent)}
.code .comment{color:var(--thalweg-muted);font-style:italic}
.code .string{color:var(--thalweg-green)}
.code .keyword{color:var(--thalweg-blue)}
.code .number{color:var(--thalweg-vermillion)}
.pager{display:grid;grid-template-columns:1fr 1fr;gap:2rem;margin-top:4rem;padding-top:1.2rem;border-top:2px solid var(--thalweg-ink);line-height:1.4}
.pager a{text-decoration:none}
.pager a>span:first-child{display:block;font:.78rem/1.6 ${FONT_STACK};color:var(--thalweg-muted)}
.pager .next{text-align:right}
@media (min-width:1180px){
.columns{grid-template-columns:13rem minmax(0,48rem) 13rem;justify-content:center}
figure.broad{margin-right:-12rem}
.contents{display:block;position:sticky;top:0;align-self:start;padding:4.4rem 1rem 0 1.5rem;font:.84rem/1.5 ${FONT_STACK}}
.contents ul{list-style:none;margin:0;padding:0}
.contents li{padding:.2rem 0}
.contents a{text-decoration:none;color:var(--thalweg-muted)}
.contents a:hover{color:var(--thalweg-blue)}
}
@media (max-width:520px){
html{font-size:17px}h1{font-size:1.8rem}
.bar,.entry main{padding-left:1.1rem;padding-right:1.1rem}
.entry .hero{padding-top:1rem}
.entry .hero .question{font-size:1.15rem}
.plate{padding:.3rem;margin-inline:-.5rem}
section{margin-top:2.8rem}
}
@media print{
html{font-size:10.5pt;background:#fff}
.bar,.contents,.pager,.finder,.skip,.foot{display:none!important}
.columns{display:block}.entry main{max-width:none;padding:0}.entry .hero{padding-top:0}
figure,.claim li,.card,.related li{break-inside:avoid}h2,h3{break-after:avoid}
.plate{border:0;padding:0}a{text-decoration:none}.code{max-height:none;border:0;white-space:pre-wrap}.code code{width:auto}
}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
`;

/** The whole style sheet but KaTeX's; nothing in it refers to another file. */
export const galleryCss = (): string =>
  `:root{color-scheme:light dark;--thalweg-page:#fbfaf7}@media screen and (prefers-color-scheme:dark){:root{--thalweg-page:#11151b}}${themeCss(':root')}${PAGE}${cardsCss(FONT_STACK)}${claimsCss(FONT_STACK)}${ENTRY}`;
