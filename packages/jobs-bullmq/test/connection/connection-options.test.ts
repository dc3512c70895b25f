import { inspect } from "node:util";
import type { ConnectionOptions } from "bullmq";
import { describe, expect, it } from "vitest";
import {
  addressOf,
  hasHashTag,
  requireConnection,
  withReconnecting,
} from "../../src/connection/connection-options.ts";

const connectionOf = (value: unknown): ConnectionOptions => value as ConnectionOptions;

/** The properties by which a client is recognised. */
const clientWith = (options: object, further: object = {}): ConnectionOptions =>
  connectionOf({ options, ...further, connect() {}, disconnect() {}, duplicate() {} });

describe("requireConnection", () => {
  it.each<[connection: unknown, message: RegExp]>([
    [{ host: "s3same@127.0.0.1" }, /`connection\.host`/],
    [{ host: "nidus:s3same" }, /`connection\.host`/],
    [{ host: "127.0.0.1/?password=s3same" }, /`connection\.host`/],
    [{ port: "s3same" }, /`connection\.port`/],
    [{ path: "redis://:s3same@127.0.0.1" }, /`connection\.path`/],
    [{ path: "/run/redis.sock?password=s3same" }, /`connection\.path`/],
    [{ path: 5 }, /`connection\.path`/],
    [{ url: "redis://nidus:123/s3same@127.0.0.1" }, /`connection\.url`.*encodeURIComponent/],
    [{ url: "redis://nidus:123#s3same@127.0.0.1" }, /`connection\.url`/],
    [{ url: "redis://nidus:123?s3same@127.0.0.1" }, /`connection\.url`/],
    [{ sentinels: "s3same" }, /`connection\.sentinels`/],
    [{ sentinels: [{ host: "a" }, { host: "redis://:s3same@b" }] }, /`connection\.sentinels\[1\]\.host`/],
    [clientWith({ host: "redis://:s3same@127.0.0.1" }), /`connection\.host`/],
    [clientWith({ path: "redis//:s3same@127.0.0.1" }), /`connection\.path`/],
  ])("refuses a value that may hold a password and would be shown: %o", (connection, message) => {
    let error: unknown;
    try {
      requireConnection(connectionOf(connection));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toMatch(message);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("s3same");
  });

  it.each([
    {},
    { host: "redis.example.org", port: 6379 },
    { host: "my_redis", port: "6379" },
    { host: "::1" },
    { host: "fe80::1%eth0" },
    { path: "/run/redis/redis.sock" },
    { url: "rediss://nidus:open%2Fsesame@redis.example.org:6380/3?family=6" },
    { sentinels: [{ host: "a", port: 26379 }], name: "main" },
    clientWith({ host: "localhost", port: 6379, path: null, sentinels: null, maxRetriesPerRequest: null }),
  ])("takes %o", (connection) => {
    expect(() => requireConnection(connectionOf(connection))).not.toThrow();
  });
});

describe("addressOf", () => {
  it.each<[connection: unknown, address: string]>([
    [{}, "127.0.0.1:6379"],
    [{ url: "redis://nidus:s3same@redis.example.org:6380/2" }, "redis.example.org:6380"],
    [{ url: "redis:///2" }, "127.0.0.1:6379"],
    [{ path: "/run/redis.sock" }, "/run/redis.sock"],
    [{ name: "main", sentinels: [{ host: "a", port: 1 }, { host: "b" }] }, "main behind a:1, b:6379"],
    [clientWith({ host: "a", port: 1, password: "s3same" }), "a:1"],
    [
      clientWith({}, { isCluster: true, startupNodes: [7000, "redis://:s3same@a:1", "b:2", { host: "c" }] }),
      "7000, a:1, b:2, c:6379",
    ],
  ])("of %o is hosts and ports alone", (connection, address) => {
    expect(addressOf(connectionOf(connection))).toBe(address);
  });
});

describe("hasHashTag", () => {
  it.each([
    ["{nidus}:jobs", true],
    ["my{app}x:jobs", true],
    ["bull:{jobs}", true],
    ["bull:nidus", false],
    ["{}bull{a}:nidus", false],
    ["{bull:nidus", false],
  ])("of %s is %s, as Redis sees it", (text, expected) => {
    expect(hasHashTag(text)).toBe(expected);
  });
});

describe("withReconnecting", () => {
  const readonly = new Error("READONLY You can't write against a read only replica.");

  it("asks the user's own function first", () => {
    const reconnectOnError = (error: Error) => error.message === "mine" && 1;
    const connection = withReconnecting(connectionOf({ reconnectOnError })) as {
      reconnectOnError(error: Error): unknown;
    };
    expect(connection.reconnectOnError(new Error("mine"))).toBe(1);
    expect(connection.reconnectOnError(readonly)).toBe(2);
    expect(connection.reconnectOnError(new Error("WRONGTYPE of a READONLY key"))).toBe(false);
  });

  it("finds the refusal in the error of a script of Redis 6", () => {
    const { reconnectOnError } = withReconnecting({}) as { reconnectOnError(error: Error): unknown };
    const message = "ERR Error running script: @user_script:3: -READONLY You can't write against a replica.";
    expect(reconnectOnError(new Error(message))).toBe(2);
  });

  it("leaves a client's own function alone", () => {
    const mine = () => false;
    const options: { reconnectOnError?: unknown } = { reconnectOnError: mine };
    withReconnecting(clientWith(options));
    expect(options.reconnectOnError).toBe(mine);
  });
});
