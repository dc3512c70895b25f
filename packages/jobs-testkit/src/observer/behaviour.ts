import type { Subject } from "./subject.ts";

/** Gives a test a fresh observer, and `create` for another one. */
interface ObserverTest {
  readonly subject: Subject;
  readonly create: () => Promise<Subject>;
}

/** Declares the tests of one behaviour. */
export type Behaviour = (
  declare: (name: string, body: (test: ObserverTest) => Promise<void>) => void,
) => void;
