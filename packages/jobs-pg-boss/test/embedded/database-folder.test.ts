import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { databaseFolder } from "../../src/embedded/database-folder.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nidus-folder-"));
});
afterEach(() => rm(folder, { recursive: true }));

const make = (path: string): Promise<void> => writeFile(join(path, "PG_VERSION"), "18\n");
const half = "nidus.making.0c2f4a1e-8a55-4d1c-9a34-0e5b7f1d2c3b";

describe("databaseFolder", () => {
  it("makes a database for this user alone, and finds it again", async () => {
    const path = await databaseFolder(folder, make);
    expect(path).toBe(join(folder, "postgres"));
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect(await readdir(folder)).toEqual(["postgres"]);
    const unexpected = (): Promise<void> => Promise.reject(new Error("it is made already"));
    expect(await databaseFolder(folder, unexpected)).toBe(path);
  });

  it("removes what a killed process left unfinished, and nothing else", async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), "nidus-elsewhere-"));
    await writeFile(join(elsewhere, "kept.txt"), "kept");
    const folders = [
      "postgres.newsletter",
      "postgres.new.1234",
      "postgres.bak",
      "nidus.making",
      `${half}.bak`,
      half.toUpperCase(),
    ];
    for (const name of folders) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, "kept.txt"), "kept");
    }
    const files = ["postgres.new.sql", "postgres.new", "nidus.making.notes", half.replace("0c", "1d")];
    for (const name of files) await writeFile(join(folder, name), "kept");
    const link = half.replace("0c", "2e");
    await symlink(elsewhere, join(folder, link));
    await mkdir(join(folder, half));
    await writeFile(join(folder, half, "PG_VERSION"), "");

    await databaseFolder(folder, make);

    expect((await readdir(folder)).sort()).toEqual([...folders, ...files, link, "postgres"].sort());
    for (const name of folders) expect(await readFile(join(folder, name, "kept.txt"), "utf8")).toBe("kept");
    expect(await readFile(join(elsewhere, "kept.txt"), "utf8")).toBe("kept");
    await rm(elsewhere, { recursive: true });
  });

  it("refuses a place that holds something else, and leaves it unchanged", async () => {
    await mkdir(join(folder, "postgres"));
    await writeFile(join(folder, "postgres", "notes.txt"), "mine");
    await expect(databaseFolder(folder, make)).rejects.toThrow(/postgres holds something other/);
    expect(await readdir(join(folder, "postgres"))).toEqual(["notes.txt"]);
    await rm(join(folder, "postgres"), { recursive: true });
    await writeFile(join(folder, "postgres"), "a file");
    await expect(databaseFolder(folder, make)).rejects.toThrow(/ENOTDIR/);
    expect(await readFile(join(folder, "postgres"), "utf8")).toBe("a file");
  });

  it("leaves nothing of a database that could not be made", async () => {
    await expect(databaseFolder(folder, () => Promise.reject(new Error("disk full")))).rejects.toThrow(
      "disk full",
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it("follows a link that leads to the database", async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), "nidus-elsewhere-"));
    await make(elsewhere);
    await symlink(elsewhere, join(folder, "postgres"));
    expect(await databaseFolder(folder, () => Promise.reject(new Error("made")))).toBe(
      join(folder, "postgres"),
    );
    await rm(elsewhere, { recursive: true });
  });
});
