/** The source of an entry as HTML: numbered lines that links lead to, and words coloured by kind. @module */
import { escapeHtml } from '../../charts/escape-html.ts';

const KEYWORDS = 'as|async|await|break|case|catch|class|const|continue|default|do|else|export|extends|false|finally|for|from|function|if|import|in|instanceof|interface|let|new|null|of|readonly|return|satisfies|static|switch|this|throw|true|try|type|typeof|undefined|void|while|yield';
/** Comments and strings first, since everything else may stand within them. */
const TOKEN = new RegExp([
  String.raw`(?<comment>\/\*[\s\S]*?\*\/|\/\/[^\n]*)`,
  String.raw`(?<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|` + '`(?:[^`\\\\]|\\\\[\\s\\S])*`)',
  String.raw`(?<keyword>(?<![\w$.])(?:${KEYWORDS})(?![\w$]))`,
  String.raw`(?<number>(?<![\w$])(?:0x[\da-fA-F]+|\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?)(?![\w$]))`,
].join('|'), 'g');

interface Piece { readonly kind?: string; readonly text: string }

function piecesOf(code: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of code.matchAll(TOKEN)) {
    if (match.index > end) pieces.push({ text: code.slice(end, match.index) });
    pieces.push({ kind: Object.entries(match.groups!).find(([, text]) => text !== undefined)![0], text: match[0] });
    end = match.index + match[0].length;
  }
  pieces.push({ text: code.slice(end) });
  return pieces;
}

/** Lines of TypeScript, each an element with the id `L` and its number; comments, strings, keywords and numbers carry their kind as a class. */
export function sourceHtml(code: string): string {
  const lines: string[] = [''];
  for (const { kind, text } of piecesOf(code.trimEnd().replace(/\r\n?/g, '\n'))) {
    text.split('\n').forEach((line, i) => {
      if (i > 0) lines.push('');
      const escaped = escapeHtml(line);
      lines[lines.length - 1] += kind === undefined || line === '' ? escaped : `<span class="${kind}">${escaped}</span>`;
    });
  }
  return `<pre class="code" tabindex="0"><code>${lines.map((line, i) => `<span class="line" id="L${i + 1}">${line}\n</span>`).join('')}</code></pre>`;
}

/** The first line that uses the name after its import, counted from one; that of the import where there is no other; undefined when it does not occur. */
export function lineUsing(code: string, name: string): number | undefined {
  const lines = code.replace(/\r\n?/g, '\n').split('\n');
  const word = new RegExp(`(?<![\\w$])${name.replace(/[^\w]/g, '\\$&')}(?![\\w$])`);
  const uses = lines.flatMap((line, i) => (word.test(line) ? [i] : []));
  const isCode = (i: number): boolean => !/^\s*(import|export \{|\/\*|\*|\/\/)/.test(lines[i]) && !/^\s*built:|\{ name: /.test(lines[i]);
  const found = uses.find(isCode) ?? uses[0];
  return found === undefined ? undefined : found + 1;
}
