/** `instance.json`: the salt of a record, and the addresses of its keys. */
import { type Bytes, bytesEqual, fromHex, toHex } from "../encoding/bytes.ts";
import { parseJson } from "../encoding/json.ts";
import { fs, path } from "../encoding/node.ts";
import { messageOf, RoundsError } from "../errors/index.ts";
import { replaceFile } from "../files/replace.ts";
import type { Plan } from "./plan.ts";
import { type Instance, instanceOf } from "./statement.ts";

const instanceFile = (folder: string): string => path.join(folder, "instance.json");

/** Writes the instance of a record into its folder. */
export async function writeInstance(folder: string, plan: Plan, instance: Instance): Promise<void> {
  const owners = plan.participants.map(({ name }, i) => [name, toHex(instance.owners[i])]);
  const text = { plan: toHex(plan.id), salt: toHex(instance.salt), owners: Object.fromEntries(owners), recorder: toHex(instance.recorder), ...(instance.chain && { chain: { id: instance.chain.id, contract: toHex(instance.chain.contract) } }) }; // prettier-ignore
  await replaceFile(instanceFile(folder), `${JSON.stringify(text, null, 2)}\n`);
}

/** @throws {RoundsError} when the folder has no instance, or one of another plan */
export async function readInstance(folder: string, plan: Plan): Promise<Instance> {
  const file = instanceFile(folder);
  try {
    const text = parseJson(await fs.readFile(file, "utf8"), file) as { plan: string; salt: string; owners: Record<string, string>; recorder: string; chain?: { id: number; contract: string } }; // prettier-ignore
    const bytes = (hex: string, length: number): Bytes => fromHex(hex, length);
    if (!bytesEqual(bytes(text.plan, 32), plan.id)) throw new Error("it is of another plan");
    const owners = plan.participants.map(({ name }) => bytes(text.owners[name], 20));
    const chain = text.chain && { id: text.chain.id, contract: bytes(text.chain.contract, 20) };
    return instanceOf({ plan: plan.id, salt: bytes(text.salt, 32), owners, recorder: bytes(text.recorder, 20), ...(chain && { chain }) }); // prettier-ignore
  } catch (cause) {
    throw new RoundsError("RECORD", `${file} can't be used: ${messageOf(cause)}; restore it`, { file });
  }
}
