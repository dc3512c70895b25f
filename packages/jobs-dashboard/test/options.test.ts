import { jobDashboard } from "@nidus/jobs-dashboard";
import { expect, test } from "vitest";

test.each([
  [{ authorise: () => "read" }, 'unknown option "authorise"'],
  [{ authorize: "read" }, "expected `authorize` to be a function"],
  [{ redact: true }, "expected `redact` to be a function"],
  [{ title: "" }, "expected `title` to be a non-empty string"],
  [{ traceUrl: "https://traces.example.com/" }, "expected `traceUrl` to be"],
  [{ traceUrl: "javascript:alert('{traceId}')" }, "expected `traceUrl` to be"],
  [{ traceUrl: "traces/{traceId}" }, "expected `traceUrl` to be"],
])("refuses %o", (options, message) => {
  expect(() => jobDashboard(options as never)).toThrow(message);
});

test("refuses what is no engine", () => {
  expect(() => jobDashboard().watch({} as never)).toThrow(TypeError);
  expect(() => jobDashboard().watch(undefined as never)).toThrow("expected `engine` to be a JobEngine");
});
