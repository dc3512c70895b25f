import { describe, expect, it } from "vitest";
import { checkDependencyDirection } from "../src/dependency-direction.ts";
import { type Package, publishedPackages } from "../src/repository.ts";

const packageNamed = (name: string): Package => {
  const found = publishedPackages().find(({ manifest }) => manifest.name === name);
  if (found === undefined) throw new Error(`there is no package ${name}`);
  return found;
};

describe("the direction of dependencies", () => {
  it("follows the drawing, and every import is declared", () => {
    expect(checkDependencyDirection()).toEqual([]);
  });

  it("finds an arrow that runs back, an import that is not declared, and an unknown package", () => {
    const core = packageNamed("@nidus/jobs-core");
    const observe = packageNamed("@nidus/jobs-observe");
    const backwards = {
      ...core,
      manifest: { ...core.manifest, dependencies: { "@nidus/jobs-observe": "*" } },
    };
    expect(checkDependencyDirection([backwards])).toContain(
      "@nidus/jobs-core must not know @nidus/jobs-observe",
    );
    const undeclared = { ...observe, manifest: { ...observe.manifest, dependencies: {} } };
    expect(checkDependencyDirection([undeclared])).toEqual([
      "@nidus/jobs-observe imports @nidus/jobs-core and does not declare it",
    ]);
    const unknown = { ...core, manifest: { ...core.manifest, name: "@nidus/new" } };
    expect(checkDependencyDirection([unknown])).toEqual([
      "@nidus/new is not in the table of allowed dependencies",
    ]);
  });

  it("allows no dependency outside of Nidus in jobs-core and jobs-observe", () => {
    for (const name of ["@nidus/jobs-core", "@nidus/jobs-observe"]) {
      const { dependencies = {}, peerDependencies = {} } = packageNamed(name).manifest;
      expect(
        Object.keys({ ...dependencies, ...peerDependencies }).filter((key) => !key.startsWith("@nidus/")),
      ).toEqual([]);
    }
  });
});
