import { useEffect, useRef, useState } from "preact/hooks";
import type { Action } from "../../wire-stored.ts";
import { count } from "../format.ts";
import { act } from "../live.ts";
import { announce } from "./announce.tsx";

/** A change to confirm. */
export interface Confirmation {
  readonly title: string;
  readonly text: string;
  /** The label of the button that does it: a verb. */
  readonly verb: string;
  /** The same verb in the past, for the result: "redriven". */
  readonly past: string;
  readonly isDestructive?: boolean;
  /** Requests in turn. One that answers "there is more" is repeated. */
  readonly actions: readonly Action[];
  /** How many jobs there are to change, if that is known. */
  readonly total?: number;
}

let ask: (confirmation: Confirmation) => void = () => {};

/** Asks for a confirmation, and then does it. */
export function confirmAction(confirmation: Confirmation): void {
  ask(confirmation);
}

/** Splits ids over requests of a bounded size. */
export function actionsOf(type: "cancel" | "redrive", engine: string, ids: readonly string[]): Action[] {
  const actions: Action[] = [];
  for (let from = 0; from < ids.length; from += 100)
    actions.push({ type, engine, ids: ids.slice(from, from + 100) });
  return actions;
}

export function ActionDialog() {
  const [confirmation, setConfirmation] = useState<Confirmation>();
  const [done, setDone] = useState<number>();
  const [error, setError] = useState("");
  const isStopped = useRef(false);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    ask = (next) => {
      setConfirmation(next);
      setDone(undefined);
      setError("");
      isStopped.current = false;
      dialog.current?.showModal();
    };
  }, []);
  const close = () => {
    isStopped.current = true;
    dialog.current?.close();
  };
  const perform = async (given: Confirmation) => {
    let total = 0;
    setDone(0);
    setError("");
    try {
      for (const action of given.actions) {
        let result = await act(action);
        total += result.done;
        setDone(total);
        // A job that is asked to end may be counted again, so the number from before bounds the repetition.
        while (result.hasMore && total < (given.total ?? Infinity) && !isStopped.current) {
          result = await act(action);
          total += result.done;
          setDone(total);
        }
        if (isStopped.current) break;
      }
      dialog.current?.close();
      announce(
        total === 0 ? `No job was ${given.past}: its state has changed.` : `${count(total)} ${given.past}`,
      );
    } catch (failure) {
      setDone(undefined);
      setError(`${total > 0 ? `${count(total)} ${given.past}. ` : ""}${(failure as Error).message}`);
    }
  };
  const isBusy = done !== undefined;
  const { title, text, verb, past, isDestructive, total } = confirmation ?? {};
  return (
    <dialog ref={dialog} aria-labelledby="dialog-title" onClose={() => (isStopped.current = true)}>
      <h2 id="dialog-title">{title}</h2>
      <p>{text}</p>
      {isBusy && (
        <p role="status">
          <progress value={total === undefined ? undefined : done} max={total} aria-label="Progress" />{" "}
          {count(done)}
          {total !== undefined && ` of ${count(total)}`} {past}
        </p>
      )}
      {error !== "" && (
        <p class="problem" role="alert">
          {error}
        </p>
      )}
      <div class="buttons">
        <button type="button" onClick={close}>
          {isBusy ? "Stop" : "Keep as it is"}
        </button>
        <button
          type="button"
          class={isDestructive ? "danger" : "primary"}
          disabled={isBusy}
          onClick={() => confirmation && void perform(confirmation)}
        >
          {verb}
        </button>
      </div>
    </dialog>
  );
}
