/**
 * SHA-256 as PTX (FIPS 180-4): the leaves of tensors' trees and the nodes above them (spec 6.2 to 6.4), so
 * that a root needs 32 bytes to be read back and not the tensor. A thread has a message of its own.
 */
import { Tag } from "../../../encoding/tags.ts";
import { CHUNK_ELEMENTS } from "../../../encoding/tensor.ts";
import { DIGEST_WORDS } from "../device-roots.ts";
import { INITIAL, ROUND } from "../sha256-constants.ts";
import { Body, type Entry } from "./ptx.ts";

/** Threads of a block. */
export const HASH_BLOCK = 128;
const BLOCK_WORDS = 16;
const [XOR, CHOICE, MAJORITY] = [0x96, 0xca, 0xe8].map(String);
/** The bytes of a word in reverse order. */
const REVERSED = String(0x0123);

const sum = (body: Body, ...terms: readonly string[]): string =>
  terms.reduce((a, b) => body.fresh("r", "add.s32", a, b));

/** The exclusive or of a word turned to the right by two counts, and turned or shifted by a third. */
function mixed(body: Body, x: string, [a, b, c]: readonly number[], last: "turned" | "shifted"): string {
  const turned = (count: number): string => body.fresh("r", "shf.r.wrap.b32", x, x, String(count));
  const third = last === "turned" ? turned(c) : body.fresh("r", "shr.u32", x, String(c));
  return body.fresh("r", "lop3.b32", turned(a), turned(b), third, XOR);
}

/** The state after a block of sixteen words. */
function compressed(body: Body, state: readonly string[], block: readonly string[]): string[] {
  const words = [...block];
  let [a, b, c, d, e, f, g, h] = state;
  for (const [i, constant] of ROUND.entries()) {
    if (i >= BLOCK_WORDS) {
      const low = mixed(body, words[i - 15], [7, 18, 3], "shifted");
      const high = mixed(body, words[i - 2], [17, 19, 10], "shifted");
      words.push(sum(body, words[i - 16], low, words[i - 7], high));
    }
    const choice = body.fresh("r", "lop3.b32", e, f, g, CHOICE);
    const t = sum(body, words[i], String(constant | 0), h, choice, mixed(body, e, [6, 11, 25], "turned"));
    const majority = body.fresh("r", "lop3.b32", a, b, c, MAJORITY);
    const u = sum(body, t, majority, mixed(body, a, [2, 13, 22], "turned"));
    [h, g, f, e, d, c, b, a] = [g, f, e, sum(body, d, t), c, b, a, u];
  }
  return [a, b, c, d, e, f, g, h].map((word, i) => sum(body, word, state[i]));
}

const initial = (body: Body): string[] => Array.from(INITIAL, (word) => body.int(word));

/** Messages begin with one byte, so each of their words is made of two words of the tensor. */
const joined = (body: Body, before: string, next: string): string =>
  body.fresh("r", "shf.r.wrap.b32", next, before, "8");

/** The address of a digest. */
const digestAt = (body: Body, digests: string, place: string): string =>
  body.fresh("d", "add.s64", digests, body.fresh("d", "mul.wide.u32", place, String(4 * DIGEST_WORDS)));

function storeDigest(body: Body, address: string, words: readonly string[]): void {
  body.emit(`st.global.v4.b32 [${address}], {${words.slice(0, 4).join(", ")}};`);
  body.emit(`st.global.v4.b32 [${address}+16], {${words.slice(4).join(", ")}};`);
}

function loadDigest(body: Body, address: string): string[] {
  const words = Array.from({ length: DIGEST_WORDS }, () => body.register("r"));
  body.emit(`ld.global.v4.b32 {${words.slice(0, 4).join(", ")}}, [${address}];`);
  body.emit(`ld.global.v4.b32 {${words.slice(4).join(", ")}}, [${address}+16];`);
  return words;
}

/** The row of the table that this thread belongs to, and the thread's number within it. */
function rowOf(body: Body, table: string, rows: string, count: string): { row: readonly string[]; number: string } {
  const block = body.fresh("r", "mul.lo.s32", body.fresh("r", "mov.u32", "%ctaid.x"), String(HASH_BLOCK));
  const thread = body.fresh("r", "add.s32", block, body.fresh("r", "mov.u32", "%tid.x"));
  body.emit(`@${body.fresh("p", "setp.ge.u32", thread, count)} ret;`);
  const [low, high] = [body.variable("r"), body.variable("r")];
  body.emit(`mov.b32 ${low}, ${body.int(0)};`);
  body.emit(`mov.b32 ${high}, ${rows};`);
  const [again, end] = [body.label(), body.label()];
  const address = (row: string): string =>
    body.fresh("d", "add.s64", table, body.fresh("d", "mul.wide.u32", row, "16"));
  body.emit(`${again}:`);
  body.scope(() => {
    const isFound = body.fresh("p", "setp.ge.u32", body.fresh("r", "add.s32", low, "1"), high);
    body.emit(`@${isFound} bra ${end};`);
    const middle = body.fresh("r", "shr.u32", body.fresh("r", "add.s32", low, high), "1");
    const first = body.fresh("r", "ld.global.b32", `[${address(middle)}]`);
    const isBefore = body.fresh("p", "setp.lt.u32", thread, first);
    body.emit(`@${isBefore} mov.b32 ${high}, ${middle};`);
    body.emit(`@!${isBefore} mov.b32 ${low}, ${middle};`);
    body.emit(`bra ${again};`);
  });
  body.emit(`${end}:`);
  const at = address(low);
  const row = Array.from({ length: 4 }, () => body.register("r"));
  body.emit(`ld.global.v4.b32 {${row.join(", ")}}, [${at}];`);
  return { row, number: body.fresh("r", "sub.s32", thread, row[0]) };
}

/**
 * SHA-256 over the chunk tag and the chunk's bytes. Its parameters: the rows of leaves, the addresses of the
 * tensors, their numbers of elements, the digests; then the numbers of rows and of threads.
 */
export function leafEntry(): Entry {
  const body = new Body();
  const [table, addresses, elements, digests] = Array.from({ length: 4 }, () => body.parameter("d"));
  const [rows, count] = [body.parameter("r"), body.parameter("r")];
  const { row, number } = rowOf(body, table, rows, count);
  const element = (base: string, bytes: string): string =>
    body.fresh("d", "add.s64", base, body.fresh("d", "mul.wide.u32", row[1], bytes));
  const tensor = body.fresh("d", "ld.global.b64", `[${element(addresses, "8")}]`);
  const all = body.fresh("r", "ld.global.b32", `[${element(elements, "4")}]`);
  const first = body.fresh("r", "mul.lo.s32", number, String(CHUNK_ELEMENTS));
  const own = body.fresh("r", "min.u32", body.fresh("r", "sub.s32", all, first), String(CHUNK_ELEMENTS));
  const start = body.fresh("d", "add.s64", tensor, body.fresh("d", "mul.wide.u32", first, "4"));
  const bytes = body.fresh("r", "shl.b32", own, "2");
  const blocks = body.fresh("r", "shr.u32", body.fresh("r", "add.s32", bytes, "9"), "6");
  const bits = sum(body, body.fresh("r", "shl.b32", bytes, "3"), "8");
  const state = initial(body).map((word) => {
    const variable = body.variable("r");
    body.emit(`mov.b32 ${variable}, ${word};`);
    return variable;
  });
  const [before, block] = [body.variable("r"), body.variable("r")];
  body.emit(`mov.b32 ${before}, ${Tag.chunk};`);
  body.emit(`mov.b32 ${block}, 0;`);
  const again = body.label();
  body.emit(`${again}:`);
  body.scope(() => {
    const place = body.fresh("r", "shl.b32", block, "4");
    const address = body.fresh("d", "add.s64", start, body.fresh("d", "mul.wide.u32", place, "4"));
    let last: string = before;
    const words = Array.from({ length: BLOCK_WORDS }, (_, i) => {
      const at = body.fresh("r", "add.s32", place, String(i));
      // A 1 bit follows the last byte.
      const isEnd = body.fresh("p", "setp.eq.s32", at, own);
      const next = body.fresh("r", "selp.b32", String(0x80000000 | 0), "0", isEnd);
      const isIn = body.fresh("p", "setp.lt.u32", at, own);
      body.emit(`@${isIn} ld.global.nc.b32 ${next}, [${address}+${4 * i}];`);
      body.emit(`@${isIn} prmt.b32 ${next}, ${next}, 0, ${REVERSED};`);
      const word = joined(body, last, next);
      last = next;
      return word;
    });
    // The last word of all is the length in bits.
    const isLast = body.fresh("p", "setp.eq.s32", block, blocks);
    words[15] = body.fresh("r", "selp.b32", bits, words[15], isLast);
    const after = compressed(body, state, words);
    after.forEach((word, i) => body.emit(`mov.b32 ${state[i]}, ${word};`));
    body.emit(`mov.b32 ${before}, ${last};`);
    body.emit(`add.s32 ${block}, ${block}, 1;`);
    body.emit(`@!${isLast} bra ${again};`);
  });
  storeDigest(body, digestAt(body, digests, body.fresh("r", "add.s32", row[3], number)), state);
  return body.finish(HASH_BLOCK);
}

/**
 * SHA-256 over the node tag and two digests; an odd node is promoted unchanged (spec 6.3). Its parameters:
 * the rows of a level, the digests; then the numbers of rows and of threads.
 */
export function nodeEntry(): Entry {
  const body = new Body();
  const [table, digests] = [body.parameter("d"), body.parameter("d")];
  const [rows, count] = [body.parameter("r"), body.parameter("r")];
  const { row, number } = rowOf(body, table, rows, count);
  const pair = body.fresh("r", "shl.b32", number, "1");
  const left = body.fresh("r", "add.s32", row[1], pair);
  const target = digestAt(body, digests, body.fresh("r", "add.s32", row[2], number));
  const second = body.fresh("r", "add.s32", pair, "1");
  const isPair = body.fresh("p", "setp.lt.u32", second, row[3]);
  const first = loadDigest(body, digestAt(body, digests, left));
  const hash = body.label();
  body.emit(`@${isPair} bra ${hash};`);
  storeDigest(body, target, first);
  body.emit("ret;");
  body.emit(`${hash}:`);
  const other = loadDigest(body, digestAt(body, digests, body.fresh("r", "add.s32", left, "1")));
  let before = body.int(Tag.node);
  const words = [...first, ...other].map((next) => {
    const word = joined(body, before, next);
    before = next;
    return word;
  });
  const zero = body.int(0);
  const rest = [joined(body, before, body.int(0x80000000)), ...Array<string>(14).fill(zero), body.int(8 * 65)];
  const after = compressed(body, compressed(body, initial(body), words), rest);
  storeDigest(body, target, after);
  return body.finish(HASH_BLOCK);
}
