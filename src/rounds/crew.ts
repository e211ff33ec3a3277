/** Who performs leaves, and where: in this process, in one for each participant, or elsewhere. */
import { openBackend } from "../certify/open-backend.ts";
import type { Bytes } from "../encoding/bytes.ts";
import { path } from "../encoding/node.ts";
import { UsageError } from "../errors/index.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { DEFAULT } from "../repops/backends/index.ts";
import type { LeafFault, PlantedFault } from "./fault.ts";
import { LeafRunner } from "./leaf.ts";
import type { CheckpointOptions } from "./leaf-trace.ts";
import { perform, type Performed } from "./participant.ts";
import type { LeafPlace } from "./plan.ts";
import { ParticipantProcess } from "./process.ts";
import type { RoundsRecord } from "./record.ts";
import type { Roll } from "./roll.ts";
import { seedPartsOf } from "./seeds.ts";
import type { Signer } from "./signer.ts";
import { localStores, type Store } from "./store.ts";

interface CrewOptions {
  readonly participants: "local" | "processes";
  readonly backend?: Backend | string;
  readonly state: string;
  readonly out: string;
  readonly faults?: readonly PlantedFault[];
  readonly checkpoints?: CheckpointOptions;
  /** The second journals of stores that sign twice in a drill, by the numbers of participants. */
  readonly second: ReadonlyMap<number, Signer>;
}

/** The participants, wherever they compute. */
export interface Crew {
  /** Whether members compute at once. */
  readonly together: boolean;
  /** @param signal ends the waiting for it: what it delivers after that is refused */
  perform(place: LeafPlace, fault?: LeafFault, signal?: AbortSignal): Promise<Performed>;
  /** Tells those who were not there that a turn is closed. */
  closed?(roll: Roll): void;
  /** The stores of a plan that has some, by their numbers. */
  readonly stores?: readonly Store[];
  close(): Promise<void>;
}

/** Participants that compute elsewhere, with keys of their own. */
export interface Muster {
  /** Their addresses, in the plan's order: 20 bytes each. */
  readonly owners: readonly Bytes[];
  /**
   * @param record gets the files of what they perform, and has what they read
   * @param recorder signs what is asked of stores
   */
  crew(record: RoundsRecord, recorder: Signer): Promise<Crew>;
}

/** The participants on this machine. */
export async function crewFor(
  record: RoundsRecord,
  { participants, backend = DEFAULT.name, state, out, faults = [], checkpoints, second }: CrewOptions,
  signers: readonly Signer[],
  isDrill: (participant: number) => boolean,
): Promise<Crew> {
  const { plan } = record;
  // In a drill an honest participant may be given what makes its training diverge.
  const stop = faults.length === 0;
  // A store needs no process: what it holds are the record's files, which all processes share.
  const stores = localStores(record, signers, second);
  const ownerOf = ({ seat }: LeafPlace): number => plan.seats[seat].participant;
  if (participants === "local") {
    const runner = new LeafRunner((await openBackend(backend)).backend);
    return {
      together: false,
      stores,
      perform: (place, fault) =>
        perform(record, { runner, signer: signers[ownerOf(place)], stop, checkpoints }, place, fault),
      close: () => runner.close(),
    };
  }
  if (typeof backend !== "string")
    throw new UsageError("CONFLICT", "participants in processes of their own take the name of a backend; give a name");
  const begun = (participant: number): ParticipantProcess =>
    new ParticipantProcess(plan.participants[participant].name, { folder: path.resolve(out), participant, state: path.resolve(state), drill: isDrill(participant), backend }); // prettier-ignore
  const members = plan.participants.length - stores.length;
  const processes = Array.from({ length: members }, (_, participant) => begun(participant));
  return {
    together: true,
    stores,
    perform: (place, fault) => {
      // A fault may read what the plan does not say.
      const [statements, rolls] = fault ? [record.all, record.rolls.all] : [record.sources(place), record.reads(place).asked]; // prettier-ignore
      const owner = ownerOf(place);
      // One that has ended, and was missed in a turn, comes back as a new process.
      if (processes[owner].isMissed) processes[owner] = begun(owner);
      const request = {
        place,
        statements,
        rolls,
        seeds: seedPartsOf(record, place.round),
        stop,
        every: checkpoints?.every,
        ...(fault && { fault }),
      };
      return processes[owner].perform(request, (news) => checkpoints?.onNews?.(place, news));
    },
    close: async () => void (await Promise.all(processes.map((process) => process.close()))),
  };
}
