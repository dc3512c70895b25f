import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** From here on systems give ports to clients and to `listen(0)`, which would take one that is free for a moment. */
const [lowest, beyond] = [10_000, 32_768];

/** A loopback port that nobody listens on, and that nobody is given who does not ask for it by number. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(lowest, beyond);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(false) : reject(error),
    );
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
