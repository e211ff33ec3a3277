/** `verde prove`: answers for a trace, to referees and auditors on other machines. */
import { once } from "node:events";
import type { Command } from "commander";
import { formatClaim } from "../claims/claim.ts";
import { UsageError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { claimOf } from "../referee/opened-party.ts";
import { BACKEND_NAMES } from "../repops/backends/index.ts";
import { HostedParty } from "../services/hosted-party.ts";
import type { Networks } from "../services/network/open.ts";
import type { ProverServer } from "../services/prover.ts";
import type { KeyFlags } from "./account.ts";
import { addKeyOptions, openClaims } from "./claims.ts";
import { addListenOptions, exposure, type ListenFlags, placeOf, tlsOf } from "./listen.ts";
import { addNkeyOption, type NkeyFlags } from "./nkey.ts";
import { networkAddress } from "./network-options.ts";
import { colors, reportLine, writeJson, writeLine } from "./output.ts";
import { addThreadsOption } from "./threads.ts";
import { addTokenOption, type TokenFlags, tokensOf } from "./token.ts";
import { addWatchOptions, type WatchedServer, type WatchFlags, watchServer } from "./watched.ts";

interface Flags extends KeyFlags, TokenFlags, ListenFlags, WatchFlags, NkeyFlags {
  nats?: string;
  topic?: string;
  backend?: string;
  memory?: string;
  files: boolean;
  json?: boolean;
}

export function register(program: Command): void {
  const command = program
    .command("prove")
    .description("answer for a trace over the network, to `verde dispute`, `audit`, `validate` and `diff` elsewhere")
    .argument("<trace>", "the trace of a finished run")
    .option("--backend <name>", `${BACKEND_NAMES}, auto, or a module that exports one; replays the run`)
    .option("--memory <MiB>", "the most memory of the process that answers (default: two fifths of the machine's)")
    .option("--no-files", "do not hand out the trace and its data")
    .option("--json", "one JSON object, as soon as it can be asked");
  addListenOptions(addWatchOptions(command), "127.0.0.1:8850");
  command
    .option("--nats <address>", "a NATS server, or a hub (`verde node`): be asked there, under this process's nkey")
    .option("--topic <name>", "with --nats: tells this trace from others that the same nkey answers for");
  addNkeyOption(addTokenOption(addThreadsOption(addKeyOptions(command)))).action(prove);
}

async function prove(trace: string, flags: Flags, command: Command): Promise<void> {
  // On NATS it listens only where the user says so.
  const isAsked = flags.nats === undefined || command.getOptionValueSource("listen") !== "default";
  const listen = isAsked ? flags.listen : undefined;
  const claims = await openClaims(flags, command);
  const party = new HostedParty({
    trace,
    claims,
    ...(flags.backend !== undefined && { backend: flags.backend }),
    ...(flags.memory !== undefined && { memory: memoryOf(flags.memory) }),
  });
  let isOpen = false;
  const watched = await watchServer(
    flags,
    "verde-prove",
    { trace },
    {
      verde_waiting_requests: { help: "Requests that wait for an answer", value: () => party.waiting },
      verde_party_starts: { help: "How often the process that answers was started", value: () => party.starts },
    },
    () => (isOpen ? undefined : "the trace is being opened"),
  );
  const { networksOf } = await import("./network.ts");
  // `--listen` is where the prover's own server listens, and no place of a network.
  const { listen: _, ...shared } = flags;
  const networks = await networksOf(shared);
  try {
    const claim = formatClaim(await claimOf(await party.claim(), claims));
    const server = listen === undefined ? undefined : await serve(trace, party, listen, flags, watched);
    const address = flags.nats === undefined ? undefined : await answerOn(networks, party, flags);
    isOpen = true;
    // Listens for the signals before the output says that Ctrl-C ends it.
    const ended = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
    const { url: metrics } = watched;
    if (flags.json)
      writeJson({ schemaVersion: 1, url: server?.url ?? null, address: address ?? null, trace, claim, ...(metrics !== undefined && { metrics }) }); // prettier-ignore
    else
      writeLine(
        ...[server?.url, address].flatMap((at) => (at ? [`${trace} is answered for at ${colors.bold(at)}`] : [])),
        `  ${colors.dim("claim")} ${claim}`,
        colors.dim("Ctrl-C ends it."),
      );
    if (!claim.includes("@"))
      reportLine("verde: none of your keys claims this run, so nothing is signed; `verde run` claims a run when it ends"); // prettier-ignore
    await ended;
    await server?.close();
  } finally {
    await networks.close();
    await party.close();
    await watched.close();
  }
}

async function serve(
  trace: string,
  party: HostedParty,
  listen: string,
  flags: Flags,
  watched: WatchedServer,
): Promise<ProverServer> {
  const place = placeOf(listen, "--listen");
  const token = (await tokensOf(flags))(`http://${listen}/`);
  const tls = await tlsOf(flags);
  const { serveProver } = await import("../services/prover.ts");
  const server = await serveProver({
    ...place,
    trace,
    party,
    files: flags.files,
    ...(token !== undefined && { token }),
    ...(tls && { tls }),
    ...watched.options,
  });
  for (const line of exposure(place.host, token !== undefined, tls !== undefined)) reportLine(line);
  return server;
}

/** @returns the address that `verde dispute` takes */
async function answerOn(networks: Networks, party: HostedParty, flags: Flags): Promise<string> {
  const { nats, topic } = flags;
  const { networkKey } = await import("./network.ts");
  const { answerFor, formatPartyAddress } = await import("../services/network/party.ts");
  const network = networkAddress({ ...(nats !== undefined && { network: nats }) })!;
  const key = await networkKey(flags);
  await answerFor(await networks.at(network), key, party, topic);
  return formatPartyAddress({ network, publicKey: key.publicKey, ...(topic !== undefined && { topic }) });
}

function memoryOf(text: string): number {
  if (/^\d{2,7}$/.test(text)) return Number(text);
  throw new UsageError("VALUE", `--memory ${quote(text)} is no number of MiB; write one from 10 to 9999999`);
}
