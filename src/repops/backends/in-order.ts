/** The calls of a session one after the other, for backends that wait within a call. */
import type { Session } from "./backend.ts";

/** Runs tasks one after the other, in the order in which they were given. */
export class Order {
  private last: Promise<unknown> = Promise.resolve();

  /** @returns what the task gives; a task that fails does not keep the next one from running */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.last.then(task);
    this.last = result.catch(() => undefined);
    return result;
  }
}

/**
 * A session that begins a call when the call before it has ended. So `roots` and `read` give the tensors as
 * they are at the call, although the session looks at them later.
 */
export function inOrder(session: Session): Session {
  const order = new Order();
  return {
    write: (input, tensor) => order.run(() => session.write(input, tensor)),
    read: (tensor) => order.run(() => session.read(tensor)),
    move: (pairs) => order.run(() => session.move(pairs)),
    execute: (options) => order.run(() => session.execute(options)),
    roots: (tensors) => order.run(() => session.roots(tensors)),
    close: () => order.run(() => session.close()),
  };
}
