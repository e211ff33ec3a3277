/** The process of one participant: it knows the record's folder, its key, and what it is sent. */
import { openBackend } from "../certify/open-backend.ts";
import { messageOf, VerdeError } from "../errors/index.ts";
import { LeafRunner } from "./leaf.ts";
import type { LeafNews } from "./leaf-news.ts";
import { perform } from "./participant.ts";
import type { NumberedRequest, ProcessNews, ProcessReply, ProcessStart } from "./process.ts";
import { openEmpty } from "./begin-record.ts";
import { Signer } from "./signer.ts";

const { folder, participant, state, drill, backend } = JSON.parse(process.argv[2]) as ProcessStart;

async function begin() {
  const record = await openEmpty(folder);
  const signer = await Signer.open(state, record.plan.participants[participant].name, drill);
  return { record, signer, runner: new LeafRunner((await openBackend(backend)).backend) };
}

const begun = begin();
begun.catch(() => undefined);
let turn: Promise<unknown> = Promise.resolve();
process.on("message", (message) => {
  const { number, place, statements, rolls, seeds, stop, every, fault } = message as NumberedRequest;
  const onNews = (_: unknown, news: LeafNews): void => void process.send?.({ number, news } satisfies ProcessNews);
  const answer = async (): Promise<ProcessReply> => {
    const { record, ...tools } = await begun;
    for (const statement of statements) record.admit(statement);
    for (const roll of rolls) record.rolls.admit(roll);
    record.admitSeeds(seeds);
    return {
      number,
      performed: await perform(record, { ...tools, stop, checkpoints: { every, onNews } }, place, fault),
    };
  };
  // One leaf after the other: a recorder that waits no more may ask for the next one.
  turn = turn
    .then(answer)
    .catch((error: unknown): ProcessReply => {
      const code = error instanceof VerdeError ? error.code : "VERDE_FAILURE";
      return { number, error: { code, message: messageOf(error) } };
    })
    .then((reply) => process.send?.(reply));
});
// The recorder has what it needs, or is gone.
process.on("disconnect", () => process.exit(0));
