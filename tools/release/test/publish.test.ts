import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { execute } from "../src/execute.ts";
import { isPublished, publish, type Tarball } from "../src/publish.ts";
import { npmEnvironment, withoutToken } from "../src/registry.ts";
import { type RehearsalRegistry, startRegistry } from "../src/rehearsal-registry.ts";

let work: string;
let registry: RehearsalRegistry;
let tarball: Tarball;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "nidus-publish-"));
  registry = await startRegistry(work);
  const source = join(work, "source");
  await mkdir(source);
  const manifest = { name: "@nidus/a-package", version: "1.2.3" };
  await writeFile(join(source, "package.json"), JSON.stringify(manifest));
  await execute("npm", ["pack", "--pack-destination", work], source);
  tarball = { ...manifest, file: join(work, "nidus-a-package-1.2.3.tgz") };
});

afterAll(async () => {
  await registry?.stop();
  await rm(work, { recursive: true });
});

describe("publishing", () => {
  it("publishes only the packages that the registry lacks", async () => {
    expect(await isPublished(tarball, registry, work)).toBe(false);
    expect(await publish([tarball], registry, work)).toEqual([tarball]);
    expect(await isPublished(tarball, registry, work)).toBe(true);
    expect(await isPublished({ ...tarball, version: "1.2.4" }, registry, work)).toBe(false);
    expect(await publish([tarball], registry, work)).toEqual([]);
  });

  it("fails with a reason that does not contain the token", async () => {
    const stranger = { ...registry, token: "a-token-of-nobody" };
    const unpublished = { ...tarball, version: "1.2.4" };
    const failure = publish([unpublished], stranger, work).catch((error: unknown) => String(error));
    expect(await failure).toContain("npm publish");
    expect(await failure).not.toContain(stranger.token);
  });
});

describe("the token of a registry", () => {
  it("is only in the environment of npm, under the registry's address", () => {
    expect(npmEnvironment({ url: "https://a.example/npm/", token: "secret", hasProvenance: true })).toEqual({
      "npm_config_@nidus:registry": "https://a.example/npm/",
      "npm_config_//a.example/npm/:_authToken": "secret",
    });
  });

  it("is removed from the output", () => {
    const to = { url: "https://a.example/", hasProvenance: true };
    expect(withoutToken("sent secret, and secret", { ...to, token: "secret" })).toBe("sent ***, and ***");
    expect(withoutToken("sent", { ...to, token: undefined })).toBe("sent");
  });
});
