import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { onTestFinished } from "vitest";

/** Takes traces over OTLP/HTTP on loopback. */
export interface Collector {
  readonly url: string;
  /** Tells whether a text, such as a span's name, was exported. */
  hasReceived(text: string): boolean;
}

/** Starts a collector that ends with the test. A hanging collector never answers. */
export async function startCollector({ hangs = false }: { hangs?: boolean } = {}): Promise<Collector> {
  const exports: Buffer[] = [];
  const server = createServer(async (request, response) => {
    if (request.url === "/v1/traces") exports.push(await buffer(request));
    if (!hangs) response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    // Protobuf contains texts unchanged.
    hasReceived: (text) => exports.some((content) => content.includes(text)),
  };
}
