import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { decodeTraceRequest, type OtlpSpan } from "./otlp-trace-schema.ts";

export interface CollectedRequest {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly spans: readonly OtlpSpan[];
}

/** A collector on loopback, over real HTTP. */
export interface Collector extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly CollectedRequest[];
  readonly spans: readonly OtlpSpan[];
  /** Resolves once this many requests have arrived completely. */
  received(count: number): Promise<void>;
}

/** How a collector answers, if at all. */
export type Answer = (response: ServerResponse, request: CollectedRequest) => void;

const accept: Answer = (response) =>
  response.writeHead(200, { "Content-Type": "application/x-protobuf" }).end();

export async function startCollector(answer: Answer = accept): Promise<Collector> {
  const requests: CollectedRequest[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method, url: path, headers } = request;
    const received = { method, path, headers, spans: decodeTraceRequest(Buffer.concat(chunks)) };
    requests.push(received);
    server.emit("collected");
    answer(response, received);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    get spans() {
      return requests.flatMap(({ spans }) => spans);
    },
    async received(count) {
      while (requests.length < count) await once(server, "collected");
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** Returns the address of a collector that has gone. */
export async function closedUrl(): Promise<string> {
  await using collector = await startCollector();
  return collector.url;
}
