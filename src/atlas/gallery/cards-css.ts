/** Style of the list of papers: search, topics and cards. @module */

/** Rules for the first page; `sans` is the face of small text. */
export const cardsCss = (sans: string): string => `
.index main{max-width:82rem;margin:0 auto;padding:0 1.5rem}
.index .hero{max-width:48rem;padding:3.2rem 0 2.2rem}
.index .hero h1{font-size:2.9rem}
.index .hero p{font-size:1.12rem}
.index .total{font:.86rem/1.6 ${sans}!important;color:var(--thalweg-muted);margin:0}
.index .total .badge{margin-left:.6rem}
.browse{border-top:2px solid var(--thalweg-ink);padding-top:1.4rem}
.search input{width:100%;font:1.15rem/1.4 ${sans};color:inherit;background:var(--thalweg-paper);border:1px solid var(--thalweg-muted);border-radius:7px;padding:.75rem 1rem;appearance:none}
.search input::placeholder{color:var(--thalweg-muted);opacity:1}
.search input:focus{outline:2px solid var(--thalweg-blue);outline-offset:1px}
.topics{border:0;margin:1rem 0 0;padding:0;display:flex;flex-wrap:wrap;gap:.4rem}
.topic{position:relative;display:block;cursor:pointer}
.topic input{position:absolute;opacity:0;inset:0;width:100%;height:100%;margin:0;cursor:pointer}
.tile{display:flex;gap:.45rem;padding:.28rem .65rem;border:1px solid var(--thalweg-grid);border-radius:6px;font:.84rem/1.4 ${sans}}
.topic:hover .tile{border-color:var(--thalweg-muted)}
.topic input:checked+.tile{border-color:var(--thalweg-ink);box-shadow:inset 0 0 0 1px var(--thalweg-ink);font-weight:600}
.topic input:focus-visible+.tile{outline:2px solid var(--thalweg-blue);outline-offset:2px}
.tile .number{color:var(--thalweg-muted);font-variant-numeric:tabular-nums}
.marks{display:none}
.marks i{width:7px;height:7px;border-radius:1px;background:var(--thalweg-green)}
.marks .deviation{background:linear-gradient(135deg,var(--thalweg-green) 50%,var(--thalweg-blue) 50%)}
.marks .fails{background:none;box-shadow:inset 0 0 0 2px var(--thalweg-vermillion)}
.marks .untested{background:var(--thalweg-grid)}
.fields{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.7rem .8rem;align-items:end;margin-top:1rem}
.field{display:grid;gap:.15rem;font:.78rem/1.4 ${sans};color:var(--thalweg-muted);min-width:0}
.field select{font:.88rem/1.4 ${sans};color:var(--thalweg-ink);background:var(--thalweg-paper);border:1px solid var(--thalweg-grid);border-radius:5px;padding:.4rem .5rem;width:100%;min-width:0}
.count{font:600 .92rem/1.4 ${sans};letter-spacing:0;color:var(--thalweg-muted);margin:2rem 0 0}
.papers{list-style:none;margin:1rem 0 0;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,15.5rem),1fr));gap:2.6rem 2rem}
.group{grid-column:1/-1;margin:2rem 0 -1.2rem;border-bottom:1px solid var(--thalweg-grid)}
.group:first-child{margin-top:0}
.group h2{margin:0}
.group p{color:var(--thalweg-muted);margin:0 0 .7rem}
.papers:not(.grouped) .group{display:none}
.grouped .card .kicker span{display:none}
.grouped .card .kicker{font-size:0}
.card{position:relative;display:flex;flex-direction:column;min-width:0}
.picture{aspect-ratio:43/29;background:var(--thalweg-paper);border:1px solid var(--thalweg-grid);border-radius:6px;padding:.4rem;margin-bottom:.8rem;display:grid;place-items:center;overflow:hidden}
.picture img{width:100%;height:100%;object-fit:contain;min-height:0;min-width:0}
.picture .empty{font:.82rem/1.4 ${sans};color:var(--thalweg-muted)}
.card:hover .picture{border-color:var(--thalweg-muted)}
.card .kicker{margin-bottom:.2rem}
.card h3{font-size:1.12rem;line-height:1.3}
.card h3 a{text-decoration:none}
.card h3 a::after{content:"";position:absolute;inset:0}
.card:hover h3 a{text-decoration:underline;text-decoration-thickness:1px}
.card h3 a:focus-visible{outline:none}
.card:focus-within .picture{outline:2px solid var(--thalweg-blue);outline-offset:2px}
.card .authors{font:.82rem/1.5 ${sans};color:var(--thalweg-muted);margin:.15rem 0 .45rem}
.card .question{font-size:.95rem;line-height:1.5;margin:0 0 .6rem}
.card .excerpt{font:.8rem/1.5 ${sans};color:var(--thalweg-muted);border-left:2px solid var(--thalweg-grid);padding-left:.6rem;margin:0 0 .6rem}
.card .badges{margin-top:auto}
.nothing{padding:2.5rem 0;font-size:1.1rem}
[hidden]{display:none!important}
@media (min-width:960px){
.browse{display:grid;grid-template-columns:14.5rem minmax(0,1fr);grid-template-rows:auto auto 1fr;grid-template-areas:"topics search" "topics fields" "topics results";gap:0 2.8rem}
.finder{display:contents}
.search{grid-area:search}.results{grid-area:results}
.topics{grid-area:topics;position:sticky;top:0;align-self:start;max-height:100vh;overflow-y:auto;display:block;margin:0;min-width:0}
.topic{border-bottom:1px solid var(--thalweg-grid)}
.topic:last-child{border-bottom:0}
.tile{display:grid;grid-template-columns:1fr auto;gap:0 .5rem;border:0;border-radius:0;padding:.36rem .4rem .4rem}
.topic:hover .tile{background:color-mix(in srgb,var(--thalweg-muted) 8%,transparent)}
.topic input:checked+.tile{box-shadow:inset 3px 0 0 var(--thalweg-ink);padding-left:.7rem}
.marks{grid-column:1/-1;display:flex;flex-wrap:wrap;gap:2px;padding-top:.22rem}
.fields{grid-area:fields}
.count{margin-top:1.2rem}
}
@media (max-width:520px){
.index main{padding:0 1.1rem}.index .hero{padding:1.2rem 0 1.4rem}.index .hero h1{font-size:2.05rem}.index .hero p{font-size:1rem}
.index .total .badge{margin:0 .8rem 0 0}
.papers{gap:2.4rem}
}
`;
