import { expect, test } from "vitest";
import { ThrottlingWaves, whyItWaits } from "./throttling.ts";

const limited = { model: "p:m", reason: "rate_limited", until: 3_000 } as const;

test("a wave is told of once, by each model, and the next one again", () => {
  const waves = new ThrottlingWaves();
  expect(waves.lineFor(limited, 1_000)).toBe("p:m is rate limited: calls to it go on in 2.0 s");
  expect(waves.lineFor({ ...limited, until: 3_100 }, 1_001)).toBeUndefined();
  expect(waves.lineFor({ model: "p:n", reason: "overloaded", until: 2_000 }, 1_002)).toBe("p:n is overloaded: calls to it go on in 1.0 s");
  expect(waves.lineFor(limited, 1_003)).toBeUndefined();
  expect(waves.lineFor({ ...limited, until: 9_000 }, 3_000)).toBe("p:m is rate limited: calls to it go on in 6.0 s");
});

test("a call that waits says why, until it may go on", () => {
  expect(whyItWaits(limited, 1_000)).toBe("rate limited, goes on in 2.0 s");
  expect(whyItWaits(limited, 3_000)).toBe("waits for its turn");
});
