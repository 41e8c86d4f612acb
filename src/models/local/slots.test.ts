import { expect, test } from "vitest";
import { Slots } from "./slots.ts";

test("hands out what there is, then in the order of asking", async () => {
  const slots = new Slots(["a"]);
  const order: string[] = [];
  const first = await slots.take();
  const waiting = [1, 2].map(async (n) => {
    const slot = await slots.take();
    order.push(`${n}${slot}`);
    slots.give(slot);
  });
  slots.give(first);
  await Promise.all(waiting);
  expect(order).toEqual(["1a", "2a"]);
});

test("who gives up waiting takes nothing along", async () => {
  const slots = new Slots(["a"]);
  const slot = await slots.take();
  const stop = new AbortController();
  const left = slots.take(stop.signal);
  const stays = slots.take();
  stop.abort(new Error("enough"));
  await expect(left).rejects.toThrow("enough");
  slots.give(slot);
  expect(await stays).toBe("a");
  await expect(slots.take(stop.signal)).rejects.toThrow("enough");
});
