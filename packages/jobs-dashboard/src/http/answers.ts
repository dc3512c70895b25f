/** Headers of every answer. Scripts, styles and connections of the page's own origin are allowed, and nothing else. */
const securityHeaders = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
};

/** Makes an answer with the headers of the page. */
export function answer(
  status: number,
  contentType: string,
  body: string | ReadableStream<Uint8Array> | null,
  headers: Record<string, string> = {},
): Response {
  return new Response(body, {
    status,
    headers: { ...securityHeaders, "Cache-Control": "no-store", "Content-Type": contentType, ...headers },
  });
}

/** Makes an answer of JSON. */
export function json(value: unknown, status = 200): Response {
  return answer(status, "application/json; charset=utf-8", `${JSON.stringify(value)}\n`);
}

/** Refuses a request, and says why and how to change that. */
export function refused(status: number, reason: string, headers: Record<string, string> = {}): Response {
  return answer(status, "text/plain; charset=utf-8", `${reason}\n`, headers);
}
