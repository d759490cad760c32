/**
 * Globals that Node and browsers share and that ECMAScript does not define, in the part that neutral code may use.
 * Only `tsconfig.neutral.json` includes this file: what is not declared here is an error in a platform-neutral folder.
 */
declare const performance: { now(): number };
declare class TextEncoder {
  encode(text?: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean });
  decode(bytes?: ArrayBuffer | ArrayBufferView): string;
}
declare function setTimeout(callback: () => void, milliseconds?: number): unknown;
declare function structuredClone<T>(value: T): T;
declare interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
}
declare class AbortController {
  readonly signal: AbortSignal;
  abort(): void;
}
