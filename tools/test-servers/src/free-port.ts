import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** The first port that systems assign to clients and to `listen(0)`. They could take a port from here on before a server does. */
const [lowest, beyond] = [10_000, 32_768];

/** Finds a free loopback port below those that the system assigns. */
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
