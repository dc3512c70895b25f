import "reflect-metadata";
import { createServer, type Server } from "node:http";
import { serve } from "@hono/node-server";
import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { type JobDashboard, jobDashboard } from "@nidus/jobs-dashboard";
import { defineJob, type JobEngine, memoryEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { eventOf, listen, type Served } from "./support/served.ts";

/** Mounts a page at `/jobs` in a framework, with a body parser in front where it has one. */
const frameworks: Readonly<Record<string, (page: JobDashboard) => Promise<Served>>> = {
  "node:http": async (page) => {
    const handler = page.handler();
    return listen((request, response) => {
      if (request.url?.startsWith("/jobs")) void handler(request, response);
      else response.writeHead(404).end();
    });
  },
  Express: async (page) => {
    const app = express();
    app.use("/jobs", page.handler());
    return listen(app);
  },
  "Express after express.json()": async (page) => {
    const app = express();
    app.use(express.json());
    app.use("/jobs", page.handler());
    return listen(app);
  },
  "Express in a router of a router": async (page) => {
    const [app, team] = [express(), express.Router()];
    team.use("/", page.handler());
    app.use("/jobs", team);
    return listen(app);
  },
  Fastify: async (page) => {
    const app = fastify();
    const handler = page.handler();
    app.addHook("onRequest", async (request, reply) => {
      if (!/^\/jobs(?:[/?]|$)/.test(request.url)) return;
      reply.hijack();
      await handler(request.raw, reply.raw);
    });
    await app.ready();
    return listen(app.server);
  },
  Koa: async (page) => {
    const app = new Koa();
    const handler = page.handler();
    app.use(async (context, next) => {
      if (!/^\/jobs(?:\/|$)/.test(context.path)) return next();
      context.respond = false;
      await handler(context.req, context.res);
    });
    return listen(app.callback());
  },
  Hono: async (page) => {
    const app = new Hono();
    app.all("/jobs", ({ req }) => page.fetch(req.raw));
    app.all("/jobs/*", ({ req }) => page.fetch(req.raw));
    const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }) as Server;
    if (!server.listening) await new Promise((resolve) => server.once("listening", resolve));
    return listen(server);
  },
  NestJS: async (page) => {
    class Application {}
    Module({})(Application);
    const app = await NestFactory.create(Application, { logger: false });
    app.use("/jobs", page.handler());
    await app.init();
    return listen(app.getHttpServer() as Server);
  },
  "a proxy that removes the prefix": async (page) => {
    const handler = page.handler();
    return listen((request, response) => {
      request.url = request.url?.replace(/^\/jobs/, "") ?? "";
      void handler(request, response);
    });
  },
};

const failing = defineJob({
  name: "fails",
  maxAttempts: 1,
  run() {
    throw new Error("no");
  },
});

describe.each(Object.entries(frameworks))("in %s", (name, mount) => {
  // `authorize` is there, since Hono tells no address of its client.
  const page = jobDashboard({ authorize: () => "operate" });
  let served: Served;
  let engine: JobEngine;
  let letterId: string;

  beforeAll(async () => {
    engine = memoryEngine({ runner: new ObservedJobRunner(page.jobObserver()) });
    page.watch(engine);
    letterId = (await engine.enqueue(failing)).id;
    const worker = await engine.work({ jobs: [failing] });
    await vi.waitFor(async () => expect((await engine.stats()).deadLettered).toBe(1), 60_000);
    await worker.stop();
    served = await mount(page);
  });
  afterAll(async () => {
    page.shutdown();
    await Promise.all([served.close(), engine.close()]);
  });

  test("its files and its data are found", async () => {
    expect(await (await fetch(`${served.url}/jobs/`)).text()).toContain('src="app.js"');
    expect((await fetch(`${served.url}/jobs/app.js`)).headers.get("content-type")).toContain(
      "text/javascript",
    );
    expect(await (await fetch(`${served.url}/jobs/api/overview`)).json()).toMatchObject({
      jobs: [{ name: "fails" }],
    });
  });

  test.skipIf(name.startsWith("a proxy"))("the address without a slash leads to the page", async () => {
    const answer = await fetch(`${served.url}/jobs`);
    expect([answer.status, new URL(answer.url).pathname]).toEqual([200, "/jobs/"]);
  });

  test("snapshots stream", async () => {
    const stream = await fetch(`${served.url}/jobs/api/stream?view=overview`);
    expect((await eventOf(stream)).data).toContain('"fails"');
  });

  test("actions arrive with their body", async () => {
    const answer = await fetch(`${served.url}/jobs/api/actions`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Nidus-Dashboard": "1", Origin: served.url },
      body: JSON.stringify({ type: "redrive", engine: "memory", ids: [letterId] }),
    });
    expect([answer.status, await answer.json()]).toEqual([200, { done: 1, hasMore: false }]);
    expect((await engine.stats()).waiting).toBe(1);
  });

  test("the rest of the application answers as before", async () => {
    const answer = await fetch(`${served.url}/elsewhere`);
    if (!name.startsWith("a proxy")) expect(answer.status).toBe(404);
  });
});

test("a server can close while browsers are connected", async () => {
  const page = jobDashboard({ authorize: () => "read" });
  const server = createServer(page.handler());
  const served = await listen(server);
  const stream = await fetch(`${served.url}/api/stream?view=overview`);
  page.shutdown();
  await stream.text();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
});
