import { isIP } from "node:net";
import { invalidArgument } from "@nidus/jobs-core/adapter";
import type { ConnectionOptions } from "bullmq";
import { reconnectIfReadonly } from "./unreachable.ts";

/** The part of ioredis's options that this package reads. */
interface RedisOptions {
  readonly url?: unknown;
  readonly host?: unknown;
  readonly port?: unknown;
  readonly path?: unknown;
  readonly name?: unknown;
  readonly sentinels?: unknown;
  readonly tls?: unknown;
  readonly redisOptions?: RedisOptions | undefined;
  readonly maxRetriesPerRequest?: unknown;
  readonly autoResendUnfulfilledCommands?: boolean | undefined;
  reconnectOnError?: ((error: Error) => boolean | 1 | 2) | null | undefined;
}

/** A client that the caller has made. The client of a cluster has the nodes it was given in `startupNodes`. */
interface Client {
  readonly options?: RedisOptions | undefined;
  readonly isCluster?: unknown;
  readonly startupNodes?: unknown;
}

/**
 * Checks a connection before the engine connects. Messages repeat none of its values, since any of them may hold a password.
 *
 * @throws TypeError for a string, an invalid URL or host, and a client that gives commands up or never settles them.
 */
export function requireConnection(connection: ConnectionOptions): void {
  if (typeof connection === "string") {
    throw new TypeError(
      "expected `connection` to be Redis options or a client, got a string: pass it as `{ url }`",
    );
  }
  if (typeof connection !== "object" || connection === null) {
    throw invalidArgument("`connection`", "Redis options or a client", connection);
  }
  const { options = {} } = connection as Client;
  if (isClient(connection)) requirePatience(options);
  requireResending(isClient(connection) ? options : (connection as RedisOptions));
  requireAddress(isClient(connection) ? options : (connection as RedisOptions));
}

/** @throws TypeError */
function requireAddress({ url, host, port, path, sentinels }: RedisOptions, where = "connection"): void {
  if (url !== undefined && !isRedisUrl(url)) {
    throw new TypeError(
      `expected \`${where}.url\` to be a Redis URL such as redis://localhost:6379, got something else: write special characters of a password as in encodeURIComponent`,
    );
  }
  if (host != null && !isHost(host)) {
    throw new TypeError(
      `expected \`${where}.host\` to be a host name, got something else: pass a URL as \`connection.url\``,
    );
  }
  if (port != null && !/^\d{1,5}$/.test(String(port))) {
    throw new TypeError(`expected \`${where}.port\` to be a port, got something else`);
  }
  if (path != null && !isPath(path)) {
    throw new TypeError(
      `expected \`${where}.path\` to be the path of a socket, got something else: pass a URL as \`connection.url\``,
    );
  }
  if (sentinels == null) return;
  if (!Array.isArray(sentinels)) {
    throw new TypeError(`expected \`${where}.sentinels\` to be an array, got something else`);
  }
  for (const [index, sentinel] of sentinels.entries()) {
    requireAddress((sentinel ?? {}) as RedisOptions, `${where}.sentinels[${index}]`);
  }
}

/** Refuses an "@" behind the host: it follows a password that has a "/", "?" or "#", and the host is the beginning of that password. */
function isRedisUrl(url: unknown): boolean {
  if (typeof url !== "string" || !URL.canParse(url)) return false;
  const { protocol, pathname, search, hash } = new URL(url);
  return /^rediss?:$/.test(protocol) && !`${pathname}${search}${hash}`.includes("@");
}

function isHost(host: unknown): boolean {
  return typeof host === "string" && (isIP(host) !== 0 || /^[\p{L}\p{N}._-]+$/u.test(host));
}

function isPath(path: unknown): boolean {
  return typeof path === "string" && path !== "" && !/[@?]|:\/\//.test(path);
}

/** Refuses a client that gives commands up. The client of a cluster has these options in `redisOptions`. */
function requirePatience(options: RedisOptions): void {
  const { maxRetriesPerRequest } = options.redisOptions ?? options;
  if (!maxRetriesPerRequest) return;
  throw invalidArgument(
    "`maxRetriesPerRequest` of the client",
    "null, as BullMQ asks of workers' connections",
    maxRetriesPerRequest,
  );
}

/** Refuses a client that does not resend commands: ioredis then never settles a command whose connection broke. */
function requireResending(options: RedisOptions): void {
  const { autoResendUnfulfilledCommands } = options.redisOptions ?? options;
  if (autoResendUnfulfilledCommands !== false) return;
  throw invalidArgument(
    "`autoResendUnfulfilledCommands`",
    "true, since commands would wait for ever after a connection broke",
    false,
  );
}

/** Tells whether a connection is a client and not options. Its maker closes it. */
export function isClient(connection: ConnectionOptions): boolean {
  return typeof (connection as { duplicate?: unknown }).duplicate === "function";
}

/** Tells whether a connection is the client of a cluster. */
export function isCluster(connection: ConnectionOptions): boolean {
  return (connection as Client).isCluster === true;
}

/**
 * Returns a connection that leaves a demoted primary. Such a primary refuses to write, and ioredis would stay with it. The client of a
 * cluster finds the new primary by itself.
 */
export function withReconnecting(connection: ConnectionOptions): ConnectionOptions {
  if (isCluster(connection)) return connection;
  if (isClient(connection)) {
    const { options } = connection as Client;
    if (options !== undefined) options.reconnectOnError ??= reconnectIfReadonly;
    return connection;
  }
  const { reconnectOnError } = connection as RedisOptions;
  return {
    ...connection,
    reconnectOnError: (error: Error) => reconnectOnError?.(error) || reconnectIfReadonly(error),
  } as ConnectionOptions;
}

/** Tells whether a connection is made by TLS. */
export function hasTls(connection: ConnectionOptions): boolean {
  const { options } = connection as Client;
  const { url, tls } = options?.redisOptions ?? options ?? (connection as RedisOptions);
  return Boolean(tls) || (typeof url === "string" && url.startsWith("rediss:"));
}

/** Returns the hosts and ports of a connection, which may be shown. */
export function addressOf(connection: ConnectionOptions): string {
  const { options, startupNodes } = connection as Client;
  if (isCluster(connection))
    return (Array.isArray(startupNodes) ? startupNodes : []).map(addressOfNode).join(", ");
  const { url, host, port, path, sentinels, name } = options ?? (connection as RedisOptions);
  if (typeof url === "string") return new URL(url).host || "127.0.0.1:6379";
  if (Array.isArray(sentinels)) return `${name} behind ${sentinels.map(addressOfNode).join(", ")}`;
  return typeof path === "string" ? path : addressOfNode({ host, port });
}

/** Returns the address of a node, which ioredis accepts as a port, a URL, or host and port. */
function addressOfNode(node: unknown): string {
  if (typeof node === "string" && URL.canParse(node) && new URL(node).host !== "") return new URL(node).host;
  if (typeof node !== "object" || node === null)
    return /^([\w.-]+:)?\d+$/.test(String(node)) ? String(node) : "a node";
  const { host, port } = node as RedisOptions;
  return `${host ?? "127.0.0.1"}:${port ?? 6379}`;
}

/** Tells whether all keys that begin with a text are in one slot of a cluster. Redis looks only at the first braces. */
export function hasHashTag(text: string): boolean {
  const start = text.indexOf("{");
  return start >= 0 && text.indexOf("}", start) > start + 1;
}
