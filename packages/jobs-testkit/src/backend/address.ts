import assert from "node:assert/strict";
import type { Behaviour } from "../contract/test-plan.ts";
import type { BackendKit } from "./backend-kit.ts";

/** Matches text that looks like credentials: `//user:password@`, `user@host`, `password=…`. */
const credentials = /\/\/[^/\s]*@|\b(pass(word|wd)?|pwd|secret|token|auth)\s*[=:]/i;

export const address: Behaviour<BackendKit> = (declare) => {
  declare("names the place, without a user or a password", async (kit) => {
    const backend = await kit.open();
    for (const [member, text] of Object.entries({
      name: backend.name,
      address: backend.address,
      queueOf: backend.queueOf("send digest"),
    })) {
      assert.equal(typeof text, "string", `\`${member}\` is a text`);
      assert.notEqual(text, "", `\`${member}\` is not empty`);
      assert.doesNotMatch(text, credentials, `\`${member}\` stands in errors and logs: no user, no password`);
      for (const secret of kit.fixtures.secrets) {
        assert.ok(!text.includes(secret), `\`${member}\` has one of \`secrets\` in it`);
      }
    }
    assert.equal(backend.queueOf("send digest"), backend.queueOf("send digest"));
  });
};
