/** Headers that a proxy adds. With one of them, the caller may be anywhere. */
const proxyHeaders = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/**
 * Tells whether a request comes from this machine. The address of the socket alone is not enough: a page on another origin can
 * make the browser send requests to a name that it points to 127.0.0.1, and then the Host header has that name.
 */
export function isLocal(request: Request, remoteAddress: string | undefined): boolean {
  if (remoteAddress === undefined || !isLoopbackAddress(remoteAddress)) return false;
  if (proxyHeaders.some((name) => request.headers.has(name))) return false;
  const host = request.headers.get("host");
  return host !== null && isLoopbackHost(host);
}

function isLoopbackAddress(address: string): boolean {
  const ipv4 = address.replace(/^::ffff:/i, "");
  return address === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(ipv4);
}

function isLoopbackHost(host: string): boolean {
  return /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::\d{1,5})?$/i.test(host);
}

/**
 * Returns why a request may not change anything, or undefined. A form or a script of another origin cannot send JSON with a header of
 * its own, and browsers say from which origin a request comes.
 */
export function writeRefusal(request: Request): string | undefined {
  const { headers } = request;
  const contentType = headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (contentType !== "application/json") return "expected the content type application/json";
  if (headers.get("x-nidus-dashboard") !== "1") return 'expected the header "X-Nidus-Dashboard: 1"';
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin" ? undefined : "expected a request of the same origin";
  const origin = headers.get("origin");
  if (origin === null) return "expected a Sec-Fetch-Site or Origin header";
  return URL.canParse(origin) && new URL(origin).host === headers.get("host")
    ? undefined
    : "expected a request of the same origin";
}
