import type { Readable, Writable } from "node:stream";
import type { ProcessIdentity } from "../ledger/lease-keeper.ts";
import type { Env } from "../models/catalog.ts";
import type { LoadEngine } from "../models/local/engine.ts";
import type { Runtime } from "../runtime.ts";

export type InputStream = Readable & { readonly isTTY?: boolean };
export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

/** Where SIGINT and SIGTERM are heard. */
export interface Signals {
  on(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  off(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
}

/** All that the terminal program takes from the world, so that a test can be one. */
export interface CliWorld {
  /** What was typed after `divvy`. */
  readonly argv: readonly string[];
  readonly env: Env;
  readonly cwd: string;
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly signals: Signals;
  /** Ends the process at once. */
  readonly leave: (code: number) => void;
  readonly runtime: Runtime;
  /** Who owns the runs that are carried out here, and how others are told dead. */
  readonly identity: ProcessIdentity;
  /** For probing local servers and for the built-in model's weights. */
  readonly fetch: typeof globalThis.fetch;
  /** Loads a model file. @default through node-llama-cpp */
  readonly loadEngine?: LoadEngine;
}
