import { describe, expect, it } from "vitest";
import { Slots } from "../../src/execution/slots.ts";

describe("slots", () => {
  it("are taken and left, and say when there may be room", async () => {
    const slots = new Slots(2);
    const first = slots.take();
    expect([slots.free, slots.hasRoom, slots.isMoreThanHalfTaken]).toEqual([1, true, false]);
    slots.take();
    expect([slots.free, slots.hasRoom, slots.isMoreThanHalfTaken]).toEqual([0, false, true]);
    const room = slots.nextRoom();
    first.leave();
    await room;
    expect([slots.free, slots.hasRoom]).toEqual([1, true]);
  });

  it("are freed once, however often that is said", () => {
    const slots = new Slots(1);
    const slot = slots.take();
    slot.free();
    slot.free();
    expect(slots.free).toBe(1);
    slot.leave();
    expect(slots.free).toBe(1);
  });

  it("hold one round of jobs that are being recorded beside one that runs, and no more", () => {
    const slots = new Slots(1);
    const first = slots.take();
    first.free();
    expect(slots.hasRoom).toBe(true);
    const second = slots.take();
    second.free();
    expect(slots.hasRoom, "two are being recorded").toBe(false);
    first.leave();
    expect(slots.hasRoom).toBe(true);
  });

  it("can be woken without room", async () => {
    const slots = new Slots(1);
    slots.take();
    const room = slots.nextRoom();
    slots.wake();
    await room;
    expect(slots.free).toBe(0);
  });

  it("grow at once, and say that there is room", async () => {
    const slots = new Slots(1);
    slots.take();
    const room = slots.nextRoom();
    slots.total = 3;
    await room;
    expect([slots.total, slots.free, slots.hasRoom]).toEqual([3, 2, true]);
  });

  it("shrink as they become free: more than there are now are surplus", () => {
    const slots = new Slots(3);
    const [first, second, third] = [slots.take(), slots.take(), slots.take()];
    slots.total = 1;
    expect([slots.free, slots.hasRoom]).toEqual([0, false]);
    expect([first.isSurplus, second.isSurplus, third.isSurplus]).toEqual([true, true, true]);
    first.leave();
    expect([first.isSurplus, second.isSurplus]).toEqual([false, true]);
    third.free();
    expect([second.isSurplus, slots.free]).toEqual([false, 0]);
    second.leave();
    third.leave();
    expect([slots.free, slots.hasRoom]).toEqual([1, true]);
  });
});
