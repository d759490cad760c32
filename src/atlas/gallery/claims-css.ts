/** Style of claims and of the strips that show where measured values lie. @module */

/** Rules for the claims of an entry's page; `sans` is the face of small text. */
export const claimsCss = (sans: string): string => `
.legend{font:.84rem/1.6 ${sans};color:var(--thalweg-muted)}
.key{display:inline-block;width:.72em;height:.72em;border-radius:50%;vertical-align:-.04em;border:2px solid var(--thalweg-ink)}
.key.check{background:var(--thalweg-ink)}
.claim{border-top:1px solid var(--thalweg-grid);padding:1.3rem 0 1.5rem;scroll-margin-top:1rem}
.claim .verdict{margin:0 0 .3rem;display:flex;flex-wrap:wrap;gap:0 .9rem;align-items:baseline}
.claim .verdict .badge{font-size:.88rem}
.claim-source{font:.8rem/1.5 ${sans};color:var(--thalweg-muted)}
.claim h3{font-weight:400;font-size:1.06rem;line-height:1.5;letter-spacing:0;text-wrap:pretty;margin:0 0 .8rem}
.claim:target h3{background:color-mix(in srgb,var(--thalweg-blue) 12%,transparent)}
.reason{font-size:.94rem;border-left:3px solid var(--thalweg-blue);padding-left:.9rem;margin:0 0 .9rem}
.claim.fails .reason{border-color:var(--thalweg-vermillion)}
.comparison{list-style:none;margin:0;padding:.35rem 0;font:.84rem/1.4 ${sans}}
.comparison+.comparison,.scale-note+.comparison{border-top:1px dotted var(--thalweg-grid)}
.comparison li{display:grid;grid-template-columns:minmax(0,1fr) 11.5rem 12.5rem;grid-template-areas:"what value strip" "kind outcome strip";column-gap:1rem;align-items:baseline;padding:.3rem 0}
.what{grid-area:what}
.what b{font-weight:600}
.comparison .control .what{color:var(--thalweg-muted)}
.value{grid-area:value;font-variant-numeric:tabular-nums}
.value .number{font-weight:600}
.value .condition{color:var(--thalweg-muted);white-space:nowrap}
.error-kind{grid-area:kind;font-size:.74rem;color:var(--thalweg-muted)}
.comparison .outcome{grid-area:outcome;font-size:.74rem;font-weight:400;white-space:normal}
.strip{grid-area:strip;align-self:center;display:block;overflow:visible}
.strip .admitted{fill:var(--thalweg-green);fill-opacity:.13}
.strip .threshold{stroke:var(--thalweg-green);stroke-width:1.5}
.strip .axis{stroke:var(--thalweg-grid)}
.strip .error{stroke:var(--thalweg-ink);stroke-width:2}
.strip .check{fill:var(--thalweg-ink)}
.strip .control{fill:var(--thalweg-page);stroke:var(--thalweg-ink);stroke-width:1.8}
.scale-note{font:.72rem/1.4 ${sans};color:var(--thalweg-muted);margin:-.2rem 0 .3rem;text-align:right}
@media (max-width:720px){
.comparison li{grid-template-columns:minmax(0,1fr) auto;grid-template-areas:"what what" "value kind" "strip strip" "outcome outcome";row-gap:.15rem;padding:.55rem 0}
.error-kind{text-align:right}
}
`;
