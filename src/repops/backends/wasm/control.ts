/**
 * The words of shared memory by which threads agree (team.ts, crew.ts, helper.ts). Words that different
 * threads write all the time are 64 bytes apart, so that they are in different lines of the caches.
 */

/**
 * In the memory of a session: the next ticket to take, the ticket after the last one, and how many are done;
 * the call that the ticket `base` stands for, and the number of the fork; for tests, how many calls helpers
 * have run, and how many helpers have joined.
 */
export const CONTROL = { next: 0, end: 16, first: 17, base: 18, turn: 19, done: 32, helped: 33, joined: 34 } as const;
export const CONTROL_WORDS = 48;

/** A call: the number of its function, the address of its words, and the value that it returned. */
export const CALL_WORDS = 3;

/**
 * On the board of the process: a number that changes when there may be work, the session that has it, and for
 * each helper how many messages it has been sent.
 */
export const BOARD = { wake: 0, session: 16, posted: 32 } as const;
