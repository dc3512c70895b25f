import { once } from "node:events";
import { connect } from "node:net";

/** Makes an empty database on a server that trusts its clients. Resolves to its URL. */
export async function ownDatabase(serverUrl: string): Promise<string> {
  const name = `own_${crypto.randomUUID().replaceAll("-", "")}`;
  await runStatement(serverUrl, `CREATE DATABASE ${name}`);
  return Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
}

/**
 * Runs a statement. It speaks PostgreSQL's protocol, since a client library would be loaded before the tests of instrumentation can
 * patch it.
 */
async function runStatement(serverUrl: string, statement: string): Promise<void> {
  const { port, username, pathname } = new URL(serverUrl);
  const socket = connect(Number(port), "127.0.0.1");
  await once(socket, "connect");
  // Version 3.0 of the protocol.
  socket.write(
    message(
      "",
      int32(196_608),
      text("user"),
      text(username),
      text("database"),
      text(pathname.slice(1)),
      text(""),
    ),
  );
  socket.write(message("Q", text(statement)));
  let received = Buffer.alloc(0);
  // The server is ready twice: after the greeting, and after the statement.
  let timesReady = 0;
  for await (const part of socket) {
    received = Buffer.concat([received, part as Buffer]);
    while (received.length >= 5 && received.length > received.readInt32BE(1)) {
      const end = 1 + received.readInt32BE(1);
      const kind = String.fromCharCode(received[0] as number);
      if (kind === "E") throw new Error(`${statement}: ${received.subarray(5, end).toString()}`);
      received = received.subarray(end);
      if (kind === "Z" && ++timesReady === 2) return;
    }
  }
  throw new Error(`${statement}: the server closed the connection`);
}

function message(kind: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(kind), int32(body.length + 4), body]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}
