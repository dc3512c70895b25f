import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

export interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface TestServer extends AsyncDisposable {
  request(method: string): Promise<Answer>;
  /** The rejections of all listeners, once they are done. In a real server they would be unhandled. */
  rejections(): Promise<unknown[]>;
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Starts a real server on loopback. */
export async function serve(listener: Listener): Promise<TestServer> {
  const outcomes: Promise<unknown[]>[] = [];
  const server = createServer((request, response) => {
    const outcome = (async () => listener(request, response))();
    outcomes.push(
      outcome.then(
        () => [],
        (error: unknown) => {
          response.destroy();
          return [error];
        },
      ),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    request: (method) => send(method, url),
    rejections: async () => (await Promise.all(outcomes)).flat(),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** Not `fetch`, which hides a body that should not be there. */
async function send(method: string, url: string): Promise<Answer> {
  const outgoing = httpRequest(url, { method, agent: false });
  outgoing.end();
  const [response] = await once(outgoing, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() };
}
