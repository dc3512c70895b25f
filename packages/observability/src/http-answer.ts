import type { IncomingMessage, ServerResponse } from "node:http";

/** Handles requests of `node:http`, Express, or the raw objects of Fastify. The promise it returns never rejects. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const plainText = "text/plain; charset=utf-8";

/** Tells whether a request reads. Answers any other with 405. */
export function isReading(request: IncomingMessage, response: ServerResponse): boolean {
  if (request.method === "GET" || request.method === "HEAD") return true;
  answer(response, 405, plainText, "use GET or HEAD\n", { Allow: "GET, HEAD" });
  return false;
}

/** Node leaves out the body of an answer to a HEAD request itself, and keeps its length. */
export function answer(
  response: ServerResponse,
  status: number,
  contentType: string,
  text: string,
  headers: Record<string, string> = {},
): void {
  // Code in front of this handler, such as a timeout, has answered first.
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(text);
  response.writeHead(status, { ...headers, "Content-Type": contentType, "Content-Length": body.length });
  response.end(body);
}
