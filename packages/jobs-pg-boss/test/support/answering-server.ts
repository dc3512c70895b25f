import { createServer, type Socket } from "node:net";

/** A server on loopback that is no PostgreSQL, and answers each connection in the same way. */
export interface AnsweringServer extends AsyncDisposable {
  readonly port: number;
}

/** Answers the first bytes of each connection with an error of this code, in PostgreSQL's format. */
export function startRefusing(code: string, message: string): Promise<AnsweringServer> {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0Rauth_failed\0\0`);
  const length = Buffer.alloc(4);
  length.writeInt32BE(fields.length + 4);
  return startAnswering((socket) =>
    socket.once("data", () => socket.end(Buffer.concat([Buffer.from("E"), length, fields]))),
  );
}

export async function startAnswering(answer: (socket: Socket) => void): Promise<AnsweringServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    answer(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
