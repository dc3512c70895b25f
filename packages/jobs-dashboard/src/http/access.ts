/** Describes the connection of a request, as far as it is known. */
export interface Connection {
  readonly remoteAddress?: string | undefined;
  /** Such as "1.1". */
  readonly httpVersion?: string | undefined;
}

/**
 * Names of headers that proxies, load balancers and content networks add: what they forward, the address of their client, and their own
 * marks. With one of them, the caller may be anywhere.
 */
const proxyHeader =
  /^(?:forwarded|via$|x-forwarded|x-original-|x-real-|x-envoy-|x-amzn-|x-azure-|x-appengine-|x-vercel-|cdn-|cf-|fastly-|fly-)|(?:client|cluster|connecting|remote|user)-?(?:ip|addr)$/;

/**
 * Tells whether a request comes from this machine. The address of the socket alone is not enough: a page on another origin can
 * make the browser send requests to a name that it points to 127.0.0.1, and then the Host header has that name. And a proxy on this
 * machine passes on requests of others.
 */
export function isLocal({ headers }: Request, { remoteAddress, httpVersion }: Connection): boolean {
  if (remoteAddress === undefined || !isLoopbackAddress(remoteAddress)) return false;
  // Browsers and curl speak 1.1 at least. An nginx before 1.29.7 speaks 1.0 unless told otherwise, rewrites Host and adds no header.
  if (httpVersion === "1.0") return false;
  if ([...headers.keys()].some((name) => proxyHeader.test(name))) return false;
  const host = headers.get("host");
  return host !== null && isLoopbackHost(host) && isOfLoopback(headers.get("origin"));
}

/** Tells whether an Origin names this machine, or is absent. */
function isOfLoopback(origin: string | null): boolean {
  return origin === null || (URL.canParse(origin) && isLoopbackHost(new URL(origin).host));
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
