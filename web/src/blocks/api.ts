/** What is blocked, and to say so. */

import { ask, get, type Result } from "../api";

export interface Block {
  readonly id: number;
  readonly pattern: string;
  /** Host or network; empty for everyone. */
  readonly source: string;
  /** Epoch seconds. */
  readonly since: number;
  /** Epoch seconds; null for good. */
  readonly until: number | null;
  readonly why: string;
  readonly who: string;
  /** Samples that it kept out on the server. */
  readonly refused: number;
}

export interface Act {
  readonly id: number;
  readonly at: number;
  readonly what: "block" | "unblock" | "expire";
  readonly pattern: string;
  readonly source: string;
  readonly why: string;
  readonly who: string;
  readonly refused: number;
}

/** Of whom something was kept out: by the server, and at the source. */
export interface Sender {
  readonly source: string;
  readonly peer: string;
  readonly blocked: number;
  readonly withheld: number;
}

export interface Blocks {
  readonly blocks: readonly Block[];
  readonly rules: readonly { readonly pattern: string }[];
  readonly sources: readonly Sender[];
  readonly acts: readonly Act[];
}

export interface Wish {
  readonly pattern: string;
  readonly source: string;
  /** `2h`; empty for good. */
  readonly for: string;
  readonly why: string;
  readonly who: string;
}

const PATH = "/api/blocks";

export function blocks(signal?: AbortSignal): Promise<Result<Blocks>> {
  return get(PATH, [], signal);
}

export function block(wish: Wish): Promise<Result<Block>> {
  return ask("POST", PATH, wish);
}

export function unblock(one: Block, who: string): Promise<Result<Block>> {
  return ask("DELETE", PATH, { pattern: one.pattern, source: one.source, who });
}
