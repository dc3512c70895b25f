import { describe, expect, it } from "vitest";
import { refusePending } from "../src/release.ts";

describe("a release", () => {
  it("is refused while there are changesets to apply", () => {
    expect(() => refusePending(["config.json", "changelog.js", "README.md"])).not.toThrow();
    expect(() => refusePending(["config.json", "tidy-jobs.md"])).toThrow("found tidy-jobs.md");
  });
});
