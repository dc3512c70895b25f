import type { Subject } from "./subject.ts";

/** What a test of the contract works with: a fresh observer, and `create` for another one. */
interface ObserverTest {
  readonly subject: Subject;
  readonly create: () => Promise<Subject>;
}

/** One behaviour: its tests, declared one by one. */
export type Behaviour = (
  declare: (name: string, body: (test: ObserverTest) => Promise<void>) => void,
) => void;
