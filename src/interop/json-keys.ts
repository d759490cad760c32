/** Repeated keys of a JSON object, which JSON.parse drops silently. @module */

/** The first key that occurs twice in the outermost object of a valid JSON `text`; undefined when there is none. */
export function firstRepeatedKey(text: string): string | undefined {
  const seen = new Set<string>();
  const colon = /\s*:/y;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    else if (character === '"') {
      const end = stringEnd(text, i);
      colon.lastIndex = end;
      if (depth === 1 && colon.test(text)) {
        // Keys are compared decoded: "a" and "\u0061" are one name.
        const key = JSON.parse(text.slice(i, end)) as string;
        if (seen.has(key)) return key;
        seen.add(key);
      }
      i = end - 1;
    }
  }
  return undefined;
}

/** Index after the closing quote of the string that begins at `start`. */
function stringEnd(text: string, start: number): number {
  let i = start + 1;
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i + 1;
}
