import type { Json } from "../json.ts";
import { systemClock } from "../runtime.ts";
import type { Outlet } from "./outlet.ts";
import { type Beat, play } from "./playback.ts";
import type { Exchange, Wire } from "./wire.ts";

/** Plays a reply in the words of its protocol. Rejects with the signal's reason when it aborts. */
export async function sendReply(wire: Wire, exchange: Exchange, stream: boolean, outlet: Outlet): Promise<void> {
  const speaker = stream ? streamed(wire, exchange) : whole(wire, exchange);
  const { headers } = exchange.reply;
  for await (const beat of play(exchange.reply, systemClock, outlet.signal)) {
    switch (beat.kind) {
      case "status": {
        const body = beat.body ?? wire.errorBody(beat.status, `Scripted status ${beat.status}`);
        return sendBody(outlet, beat.status, body, { ...headers, ...(beat.contentType && { "content-type": beat.contentType }), ...beat.headers });
      }
      case "body":
        return sendBody(outlet, 200, beat.body, { ...headers, "content-type": beat.contentType });
      case "reset":
        return outlet.reset();
      case "headers":
        outlet.head(200, { "content-type": speaker.contentType, ...headers });
        break;
      default:
        await outlet.write(speaker.say(beat));
    }
    outlet.signal.throwIfAborted();
  }
  outlet.end(speaker.end());
}

/** A whole body, JSON unless the headers say otherwise. */
export function sendBody(outlet: Outlet, status: number, body: string | Json, headers: Readonly<Record<string, string>> = {}): void {
  outlet.head(status, { "content-type": "application/json", ...headers });
  outlet.end(typeof body === "string" ? body : JSON.stringify(body));
}

type SpokenBeat = Exclude<Beat, { kind: "status" | "body" | "reset" | "headers" }>;

interface Speaker {
  readonly contentType: string;
  say(beat: SpokenBeat): string | Uint8Array;
  /** What is left to say when no beat follows. */
  end(): string;
}

function streamed(wire: Wire, exchange: Exchange): Speaker {
  const frames = wire.frames(exchange);
  return {
    contentType: "text/event-stream",
    say(beat) {
      switch (beat.kind) {
        case "ping":
          return wire.ping;
        case "start":
          return frames.start();
        case "delta":
          return frames.delta(beat);
        case "bad-byte":
          return spoilt(frames.delta({ type: "text", delta: REPLACEMENT }));
        case "no-choices":
          return frames.noChoices();
        case "error":
          return wire.errorEvent(beat.data ?? wire.overloaded);
        case "finish":
          return frames.finish();
      }
    },
    end: () => "",
  };
}

/** What decoders put in place of bytes that are no text. */
const REPLACEMENT = "\uFFFD";

/** The words, with a byte that no UTF-8 has where they say that there is one. */
function spoilt(words: string): Uint8Array {
  const [before = "", after = ""] = words.split(REPLACEMENT);
  return Buffer.concat([Buffer.from(before), Buffer.of(0xff), Buffer.from(after)]);
}

/** A reply that is wanted whole takes as long as a stream of it would. */
function whole(wire: Wire, exchange: Exchange): Speaker {
  let body: unknown;
  return {
    contentType: "application/json",
    say(beat) {
      if (beat.kind === "start") body = wire.whole(exchange, false);
      if (beat.kind === "finish") body = wire.whole(exchange, true);
      if (beat.kind === "no-choices") body = wire.noChoices(exchange);
      if (beat.kind === "error") body = beat.data ?? wire.overloaded;
      // White space before JSON is no part of it; gateways keep connections open with it.
      return beat.kind === "ping" ? " " : "";
    },
    end: () => (body === undefined ? "" : JSON.stringify(body)),
  };
}
