import { connect } from "node:net";

/** SSLRequest of PostgreSQL's protocol. A server that accepts connections answers with "S" or "N". */
export const sslRequest: Buffer = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** Tells whether a server on a loopback port answers `question` with a text that contains `answer`. */
export function answersOn(port: number, question: Buffer | string, answer: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on("connect", () => socket.write(question));
    socket.on("data", (data) => {
      resolve(data.includes(answer));
      socket.destroy();
    });
    socket.on("error", () => resolve(false));
    socket.on("close", () => resolve(false));
  });
}
