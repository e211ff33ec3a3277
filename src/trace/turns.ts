/** Turns of the event loop, and of promises. */

/** Lets what waits happen, such as a signal: training steps alone could leave it no time. */
export const eventsPass = (): Promise<void> =>
  new Promise((resolve) => (globalThis.setImmediate ?? globalThis.setTimeout)(() => resolve()));

/** More than the promises of a session need that has its result when it is asked. */
const TURNS = 64;

/** Whether a promise is settled before any event has to happen. */
export async function isThereAtOnce(promise: Promise<unknown>): Promise<boolean> {
  const seen = { there: false };
  const see = (): void => void (seen.there = true);
  promise.then(see, see);
  for (let turn = 0; turn < TURNS && !seen.there; turn++) await undefined;
  return seen.there;
}
