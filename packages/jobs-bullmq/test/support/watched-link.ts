import { type RedisLink, redisLink } from "./redis-link.ts";

/** A way to a Redis on which something happens between a command and its answer. */
export interface WatchedLink extends RedisLink {
  /** Holds the answer to the next command that has this text, until `meanwhile` has ended. */
  holdAnswerTo(text: string, meanwhile: () => Promise<unknown>): void;
  /** Loses the answer to the next command that has this text, and the connection with it. Redis has done the command by then. */
  loseAnswerTo(text: string): void;
}

export async function watchedLink(port: number): Promise<WatchedLink> {
  let watched:
    | { readonly text: string; readonly meanwhile: (() => Promise<unknown>) | undefined }
    | undefined;
  const link = await redisLink(port, ({ client, redis }) => {
    let meanwhile: (() => Promise<unknown>) | undefined;
    let isLost = false;
    let answered = Promise.resolve();
    client.on("data", (data) => {
      if (watched !== undefined && data.includes(watched.text)) {
        meanwhile = watched.meanwhile;
        isLost = meanwhile === undefined;
        watched = undefined;
      }
      redis.write(data);
    });
    redis.on("data", (data) => {
      if (isLost) {
        client.destroy();
        return;
      }
      const first = meanwhile;
      meanwhile = undefined;
      if (first !== undefined) answered = answered.then(async () => void (await first()));
      answered = answered.then(() => void client.write(data));
    });
  });
  return {
    ...link,
    holdAnswerTo(text, meanwhile) {
      watched = { text, meanwhile };
    },
    loseAnswerTo(text) {
      watched = { text, meanwhile: undefined };
    },
  };
}
