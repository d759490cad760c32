/** Formulas of entries in the letters of Unicode, for terminals and search: `\lambda_1 \le 2/\eta` is `λ₁ ≤ 2/η`. @module */
import unicodeit from 'unicodeit';

/** Commands that say how something looks, not what it is. */
const LOOKS = new Set(['left', 'right', 'middle', 'big', 'Big', 'bigg', 'Bigg', 'bigl', 'bigr', 'Bigl', 'Bigr', 'displaystyle', 'textstyle', 'limits', 'nolimits', '!']);
const SPACES = new Set([',', ';', ':', ' ', '>', 'quad', 'qquad', 'enspace', 'thinspace', '\\']);
/** What they enclose is upright, bold or plain text. */
const TEXTS = new Set(['text', 'textrm', 'textbf', 'textit', 'mathrm', 'mathbf', 'mathsf', 'mathit', 'boldsymbol', 'bm', 'operatorname', 'mbox', 'underline']);
const ACCENTS = new Set(['hat', 'widehat', 'bar', 'overline', 'tilde', 'widetilde', 'dot', 'ddot', 'vec']);
const ALPHABETS = new Set(['mathbb', 'mathcal', 'mathfrak', 'mathscr']);
/** Names that stand in formulas as they are; the library would take the letters of some for symbols. */
const NAMES = new Set(['max', 'min', 'sup', 'inf', 'lim', 'log', 'ln', 'exp', 'sin', 'cos', 'tan', 'tanh', 'det', 'dim', 'ker', 'arg', 'argmin', 'argmax', 'Pr', 'gcd', 'mod']);
/** Those that the library has otherwise or not at all. */
const SYMBOLS: Readonly<Record<string, string>> = { '|': '‖', 'Vert': '‖', 'lVert': '‖', 'rVert': '‖', 'vert': '|', 'lvert': '|', 'rvert': '|', 'mid': '|', '{': '{', '}': '}', '%': '%', '$': '$', '&': '&', '_': '_', '#': '#', 'top': 'ᵀ', 'dots': '…', 'ldots': '…', 'cdots': '⋯', 'lceil': '⌈', 'rceil': '⌉', 'lfloor': '⌊', 'rfloor': '⌋', 'langle': '⟨', 'rangle': '⟩', 'cdot': '·', 'varepsilon': 'ε', 'colon': ':' };

const isSingle = (text: string): boolean => [...text].length === 1;
/** In brackets where it is more than a word. */
const grouped = (text: string): string => (/^[\p{L}\p{N}\p{M}.]*$/u.test(text) ? text : `(${text})`);

/** Raised or lowered letters where all have such forms, else `^(...)`. */
function script(mark: '_' | '^', text: string): string {
  if (mark === '^' && ['ᵀ', "'", '′', '*'].includes(text)) return text;
  const letters = [...text.replaceAll(' ', '')].map((letter) => unicodeit.replace(mark + (letter === '−' ? '-' : letter)));
  // Words that a space parts would run into one.
  return letters.every(isSingle) && !/\p{L} \p{L}/u.test(text) ? letters.join('') : `${mark}${grouped(text)}`;
}

function accented(name: string, text: string): string {
  const mark = unicodeit.replace(`\\${name === 'widehat' ? 'hat' : name === 'widetilde' ? 'tilde' : name === 'overline' ? 'bar' : name}{x}`).slice(1);
  return isSingle(text) && mark !== '' ? text + mark : `${name}${grouped(text).startsWith('(') ? grouped(text) : `(${text})`}`;
}

function symbol(name: string): string {
  const found = unicodeit.replace(`\\${name}`);
  // Unknown, or known by its first letters only.
  return found.includes('\\') || !isSingle(found) ? name : found;
}

/** The formula (TeX, without its dollar signs) in one line. What has no letter in Unicode is written out: `x^(train set)`. Never throws. */
export function readableFormula(tex: string): string {
  const tokens = tex.match(/\\(?:[A-Za-z]+|[\s\S])|[\s\S]/g) ?? [];
  let at = 0;
  /** The next argument: a group, a command or a letter. */
  const argument = (): string => {
    while (/^\s$/.test(tokens[at] ?? '')) at += 1;
    return at < tokens.length ? atom() : '';
  };
  const until = (close: string): string => {
    let text = '';
    while (at < tokens.length && tokens[at] !== close) text += atom();
    at += 1;
    return text.replace(/\s+/g, ' ').trim();
  };
  const command = (name: string): string => {
    if (LOOKS.has(name)) return tokens[at] === '.' ? (at += 1, '') : '';
    if (SPACES.has(name)) return ' ';
    if (Object.hasOwn(SYMBOLS, name)) return SYMBOLS[name];
    if (TEXTS.has(name)) return argument();
    if (ACCENTS.has(name)) return accented(name, argument());
    if (ALPHABETS.has(name)) return unicodeit.replace(`\\${name}{${argument()}}`).replace(/^\\\w+\{(.*)\}$/, '$1');
    if (/^[dt]?frac$/.test(name)) return `${grouped(argument())}/${grouped(argument())}`;
    if (name === 'sqrt') return ((under) => `√${isSingle(under) ? under : `(${under})`}`)(argument());
    if (name === 'begin' || name === 'end') return argument() === '' ? '' : ' ';
    // A name parts from what follows it: `\log n`.
    if (NAMES.has(name)) return `${name}${/^[\s\\A-Za-z]/.test(tokens[at] ?? '') ? ' ' : ''}`;
    // A space that only ends a sign's name, as in `x\sim p` and `\nabla L`, is none.
    const sign = symbol(name);
    if (/^\s$/.test(tokens[at] ?? '') && (/^[∇∂]$/.test(sign) || (!/\p{L}/u.test(sign) && /\S/.test(tokens[at - 2] ?? ' ')))) at += 1;
    return sign;
  };
  const atom = (): string => {
    const token = tokens[at++];
    if (token === '{') return until('}');
    if (token === '}') return '';
    if (token === '_' || token === '^') return script(token, argument());
    if (token === '&' || token === '~') return ' ';
    if (token === '-') return '−';
    return token.startsWith('\\') && token.length > 1 ? command(token.slice(1)) : token;
  };
  let text = '';
  while (at < tokens.length) text += atom();
  return text.replace(/\s+/g, ' ').trim();
}
