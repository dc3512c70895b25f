import { type RedisLink, redisLink } from "./redis-link.ts";

/** Keys, one after the other, as they stand in a command that is sent to Redis. */
const keys = (...names: string[]): RegExp =>
  new RegExp(names.map((name) => `:${name}\\r\\n`).join("\\$\\d+\\r\\n[^\\r]*"));

/** Commands whose answer can be lost. */
export type CommandKind = "fetch" | "complete" | "fail" | "delay" | "handBack";

/** The words that tell BullMQ's commands from each other. */
export const commands: Readonly<Record<CommandKind, RegExp>> = {
  fetch: keys("pc", "marker"),
  complete: keys("metrics:completed"),
  fail: keys("metrics:failed"),
  delay: keys("marker", "active", "prioritized", "delayed"),
  handBack: keys("active", "wait", "stalled"),
};

/** A way to a Redis that breaks when it is told to: the command arrives, and its answer does not. */
export interface BreakingLink extends RedisLink {
  /** Loses the answer to the next command of this kind, and the connection with it. */
  loseAnswerTo(command: CommandKind): void;
  /** How many answers were lost. */
  readonly lost: number;
}

export async function breakingLink(port: number): Promise<BreakingLink> {
  let awaited: RegExp | undefined;
  let lost = 0;
  const link = await redisLink(port, ({ client, redis }) => {
    let state: "whole" | "breaking" | "broken" = "whole";
    client.on("data", (data) => {
      if (awaited?.test(data.toString("latin1"))) {
        awaited = undefined;
        state = "breaking";
      }
      redis.write(data);
    });
    redis.on("data", (data) => {
      if (state === "whole") client.write(data);
      if (state !== "breaking") return;
      state = "broken";
      lost++;
      // A transaction answers in pieces: Redis is to have done all of it.
      setTimeout(() => client.destroy(), 50);
    });
  });
  return {
    ...link,
    loseAnswerTo(command) {
      awaited = commands[command];
    },
    get lost() {
      return lost;
    },
  };
}
