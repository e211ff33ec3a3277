/** The calls of a session one after the other, for backends that wait within a call. */
import { lend, type Session } from "./backend.ts";
import { copyOf } from "./host.ts";

/** Runs tasks one after the other, in the order in which they were given; the first one at once. */
export class Order {
  private last: Promise<unknown> = Promise.resolve();
  private open = 0;

  /** Whether no task runs or waits. */
  get isIdle(): boolean {
    return this.open === 0;
  }

  /** @returns what the task gives; a task that fails does not keep the next one from running */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.isIdle ? task() : this.last.then(task);
    this.open++;
    const ended = (): void => void this.open--;
    this.last = result.then(ended, ended);
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
    write: (input, tensor) => {
      // The caller may change its tensor when this has returned.
      const taken = copyOf(tensor);
      return order.run(() => session.write(input, taken));
    },
    lend: (input, tensor) => order.run(() => lend(session, input, tensor)),
    read: (tensor) => order.run(() => session.read(tensor)),
    move: (pairs) => order.run(() => session.move(pairs)),
    execute: (options) => order.run(() => session.execute(options)),
    roots: (tensors) => order.run(() => session.roots(tensors)),
    close: () => order.run(() => session.close()),
  };
}
