/** One child process that speaks the line protocol of peers/README.md. @module */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import type { ArrayEntry, NamedEntries } from './manifest.ts';

/** Answers of the protocol. */
export interface Info {
  readonly peer: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly threads: number;
  readonly rss_mb: number | null;
}
export interface Loaded {
  readonly variants: readonly string[];
}
export interface Run {
  readonly ms: readonly number[];
  readonly products_per_call: number;
  readonly prepare_ms: number;
  readonly first_ms: number | null;
  readonly peak_rss_mb: number | null;
  /** Products that the preparation has made already; default 0. */
  readonly products_in_prepare?: number;
}
export interface Result {
  readonly dir: string;
  readonly products: readonly NamedEntries[];
}
export interface Gemm {
  /** GFLOP/s of each call. */
  readonly gflops: readonly number[];
}
/** A whole measurement: see bench/instrument. */
export interface TaskRun {
  readonly ms: number;
  /** Products, losses of the plane, blocks or outputs of the kernel. */
  readonly calls: number;
  readonly prepare_ms: number;
  readonly call_first_ms: number;
  readonly call_further_ms: number;
  readonly peak_rss_mb: number | null;
  /** Largest residual norm of the eigenpairs, relative to the eigenvalue, by a product outside of the time; null for other tasks. */
  readonly residual: number | null;
  readonly dir?: string;
  readonly results?: Readonly<Record<string, ArrayEntry>>;
}

/** Steps of training: see bench/train. */
export interface TrainingRun {
  /** Of the counted steps. */
  readonly ms: number;
  /** Counted steps, of all replicas. */
  readonly steps: number;
  /** From the request to the first loss. */
  readonly first_ms: number;
  readonly peak_rss_mb: number | null;
  readonly dir?: string;
  /** `losses` [replicas, steps], those before the counted steps included. */
  readonly results?: Readonly<Record<string, ArrayEntry>>;
}

type Request =
  | { readonly cmd: 'info' }
  | { readonly cmd: 'load'; readonly dir: string }
  | { readonly cmd: 'run'; readonly variant: string; readonly repeat: number; readonly warmup: number }
  | { readonly cmd: 'result'; readonly variant: string; readonly out: string }
  | { readonly cmd: 'task'; readonly task: string; readonly variant: string; readonly settings: Readonly<Record<string, number>>; readonly out?: string }
  | { readonly cmd: 'train'; readonly task: string; readonly optimizer: string; readonly variant: string; readonly settings: Readonly<Record<string, number>>; readonly out?: string }
  | { readonly cmd: 'gemm'; readonly variant: string; readonly repeat: number };
interface Answers { info: Info; load: Loaded; run: Run; result: Result; gemm: Gemm; task: TaskRun; train: TrainingRun }

/** How a contestant is started. */
export interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const KEPT_ERROR_TEXT = 2000;

/** Why an entry did not finish. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A running contestant. Requests are asked one at a time. */
export class Contestant {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #lines: Interface;
  #waiting: { resolve: (line: string) => void; reject: (error: Error) => void } | undefined;
  #errors = '';
  #ended: Error | undefined;

  constructor({ name, command, args, env }: Program) {
    this.name = name;
    this.#process = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    this.#lines = createInterface({ input: this.#process.stdout! });
    this.#lines.on('line', (line) => {
      this.#waiting?.resolve(line);
      this.#waiting = undefined;
    });
    // Libraries may warn there; it is read so that the pipe does not fill, and shown when the process ends early.
    this.#process.stderr!.on('data', (chunk: Buffer) => { this.#errors = (this.#errors + chunk.toString()).slice(-KEPT_ERROR_TEXT); });
    this.#process.stdin!.on('error', () => undefined);
    this.#process.on('error', (error) => this.#end(error));
    this.#process.on('close', (code, signal) => this.#end(new Error(`${name} ended with ${signal ?? `code ${code}`}: ${this.#errors.trim().split('\n').slice(-3).join(' | ')}`)));
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#waiting?.reject(this.#ended);
    this.#waiting = undefined;
  }

  /** @throws Error when the contestant refuses or has ended. */
  async ask<R extends Request>(request: R): Promise<Answers[R['cmd']]> {
    if (this.#ended !== undefined) throw this.#ended;
    const line = await new Promise<string>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#process.stdin!.write(`${JSON.stringify(request)}\n`);
    });
    const answer = JSON.parse(line) as Answers[R['cmd']] & { readonly ok: boolean; readonly error?: string };
    if (!answer.ok) throw new Error(`${this.name}: ${answer.error}`);
    return answer;
  }

  /** Ends the process and waits for it. */
  async close(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null || this.#process.pid === undefined) return;
    const closed = new Promise<void>((resolve) => { this.#process.once('close', () => resolve()); });
    this.#process.stdin!.end();
    await closed;
  }

  /** Ends the process at once: for interrupted runs. */
  kill(): void { this.#process.kill(); }
}

/** Starts a program for the time of `use`. */
export async function withContestant<T>(program: Program, use: (contestant: Contestant) => Promise<T>): Promise<T> {
  const contestant = new Contestant(program);
  try {
    return await use(contestant);
  } finally {
    await contestant.close();
  }
}
