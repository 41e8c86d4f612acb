import { describe, expect, test } from "vitest";
import { Window } from "./window.ts";

/** A window after its first cut, with so many accepted and in flight, at time 0. */
function doubtedAt(size: number): Window {
  const window = new Window(10, Number.POSITIVE_INFINITY);
  for (let accepted = 1; accepted <= size; accepted++) window.accepted({ inFlight: accepted, isProbe: false }, accepted, 0);
  window.throttled({ inFlight: size + 1, isProbe: false }, true, size, 0, 0);
  return window;
}

/** A window that was cut, and then had one more throttled, at time 0. */
function cutTo(size: number): Window {
  const window = doubtedAt(size);
  window.throttled(window.letOut(size + 1), true, size, 0, 0);
  return window;
}

describe("a window", () => {
  test("holds twice what was accepted, until one is throttled", () => {
    const window = new Window(10, Number.POSITIVE_INFINITY);
    expect(window.size).toBe(10);
    for (const [accepted, size] of [
      [5, 10],
      [10, 20],
      [20, 40],
    ] as const) {
      window.accepted({ inFlight: accepted, isProbe: false }, accepted, 0);
      expect(window.size).toBe(size);
    }
  });

  test("never holds more than its server takes", () => {
    const window = new Window(1, 4);
    for (let accepted = 1; accepted < 20; accepted++) window.accepted({ inFlight: accepted, isProbe: false }, accepted, 0);
    expect(window.size).toBe(4);
    expect(window.opensAt(4)).toBe(Number.POSITIVE_INFINITY);
  });

  test("is set by the first that is throttled to what was accepted and in flight, and to one at least", () => {
    expect(doubtedAt(17).size).toBe(17);
    expect(doubtedAt(0).size).toBe(1);
  });

  test("is probed at once after that; where that is throttled too, so many are what there is room for", () => {
    const window = doubtedAt(20);
    expect([window.opensAt(20), window.opensAt(21)]).toEqual([0, Number.POSITIVE_INFINITY]);
    window.throttled(window.letOut(21), true, 20, 250, 100);
    expect(window.size).toBe(20);
    expect(window.opensAt(20)).toBeGreaterThanOrEqual(100 + 250 + 500);
  });

  test("doubles on where a few more are accepted than were in flight when the first was throttled", () => {
    const window = doubtedAt(20);
    window.accepted(window.letOut(21), 21, 100);
    expect(window.size).toBe(22);
    window.accepted(window.letOut(22), 22, 100);
    expect(window.size).toBe(44);
  });

  test("does not double on for one that was accepted as another ended", () => {
    const window = doubtedAt(20);
    window.accepted(window.letOut(21), 20, 100);
    window.throttled(window.letOut(22), true, 20, 250, 200);
    expect(window.size).toBe(21);
    expect(window.opensAt(21)).toBe(200 + 250 + 2_000);
  });

  test("has room for those that were out already and are accepted while it is doubted", () => {
    const window = doubtedAt(50);
    window.accepted({ inFlight: 51, isProbe: false }, 51, 20);
    expect(window.size).toBe(51);
  });

  test("is cut once for all that were let out together", () => {
    const window = cutTo(20);
    for (let late = 0; late < 15; late++) window.throttled({ inFlight: 21 + late, isProbe: false }, false, 5, 0, 0);
    expect(window.size).toBe(20);
  });

  test("is probed with one more, never with two at once: more seldom each time that fails", () => {
    const window = cutTo(20);
    let before = 0;
    for (const wait of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      expect(window.opensAt(20) - before).toBe(wait);
      before = window.opensAt(20);
      const probe = window.letOut(21);
      expect([probe.isProbe, window.opensAt(21), window.opensAt(20)]).toEqual([true, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
      window.throttled(probe, true, 20, 0, before);
      expect(window.size).toBe(20);
    }
  });

  test("waits the longer with its next probe the longer the lane was closed for the last one", () => {
    const window = cutTo(20);
    window.throttled(window.letOut(21), true, 20, 3_000, 0);
    expect(window.opensAt(20)).toBe(3_000 + 8 * 3_000);
  });

  test("grows in longer steps, and sooner, while probes are accepted", () => {
    const window = cutTo(20);
    const seen: number[] = [];
    for (let time = 0; time < 5; time++) {
      const now = window.opensAt(window.size);
      const probe = window.letOut(window.size + 1);
      window.accepted(probe, window.size + 1, now);
      seen.push(window.size);
      expect(window.opensAt(window.size) - now).toBe(Math.max(100, 500 / 2 ** (time + 1)));
    }
    expect(seen).toEqual([21, 23, 27, 35, 51]);
  });

  test("shrinks by a factor where far fewer are throttled than were accepted before", () => {
    const window = cutTo(20);
    window.throttled({ inFlight: 10, isProbe: false }, true, 9, 0, 0);
    expect(window.size).toBe(7);
    window.throttled({ inFlight: 5, isProbe: false }, true, 4, 0, 0);
    expect(window.size).toBe(3);
    for (let time = 0; time < 5; time++) window.throttled({ inFlight: 1, isProbe: false }, true, 0, 0, 0);
    expect(window.size).toBe(1);
  });

  test("can be probed again after a probe of which nothing was heard", () => {
    const window = cutTo(3);
    window.gaveUp(window.letOut(4));
    expect(window.opensAt(3)).toBe(500);
  });
});
