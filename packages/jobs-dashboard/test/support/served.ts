import {
  type Agent,
  createServer,
  request as httpRequest,
  type RequestListener,
  type Server,
} from "node:http";
import type { AddressInfo } from "node:net";

/** A server on a free loopback port. */
export interface Served {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

export async function listen(listener: RequestListener | Server): Promise<Served> {
  const server = typeof listener === "function" ? createServer(listener) : listener;
  if (!server.listening) await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** An answer of a server. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Sends a request with exactly these headers, which `fetch` would not allow. */
export function send(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string; agent?: Agent } = {},
): Promise<RawAnswer> {
  const { method = "GET", headers = {}, body, agent } = options;
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, host: "127.0.0.1", path, method, headers, agent }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** Reads a stream of events until one of them passes. Resolves to its data and its id. */
export async function eventOf(
  answer: Response,
  passes: (data: string) => boolean = () => true,
): Promise<{ readonly id: string; readonly data: string }> {
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new Error(`the stream ended: ${text}`);
      text += decoder.decode(value, { stream: true });
      for (const [, id = "", data = ""] of text.matchAll(/id: (.*)\ndata: (.*)\n\n/g))
        if (passes(data)) return { id, data };
    }
  } finally {
    await reader.cancel();
  }
}
