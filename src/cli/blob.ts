/** `verde blob`: checkpoints, datasets and traces by the digests of their bytes. */
import type { Command } from "commander";
import { fetchBlob } from "../blobs/fetch.ts";
import { fetchTensors } from "../blobs/fetch-tensors.ts";
import { formatBlobId, parseBlobId, type BlobId } from "../blobs/id.ts";
import { PartFile } from "../blobs/part-file.ts";
import { TensorTrees } from "../blobs/tensor-trees.ts";
import { blobIdOf, putIntoStore, putOnServer } from "../blobs/upload.ts";
import { fromHex, toHex } from "../encoding/bytes.ts";
import type { StateRoot } from "../encoding/tensor.ts";
import { FormatError, UsageError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { exists } from "../files/regular.ts";
import { openFile } from "../formats/file.ts";
import { ask, bodyOf, isUrl, serverAt, type TokenFor } from "../formats/http.ts";
import { BLOB_PATH } from "../blobs/source.ts";
import { registerServe } from "./blob-serve.ts";
import { defaultStore, sourceAt, storeAt } from "./blob-places.ts";
import { collected } from "./collected.ts";
import { colors, formatBytes, reportLine, writeJson, writeLine } from "./output.ts";
import { addProgressOption, Progress } from "./progress.ts";
import { addTokenOption, type TokenFlags, tokensOf } from "./token.ts";

export interface BlobFlags extends TokenFlags {
  store?: string;
  json?: boolean;
}

export function register(program: Command): void {
  const group = program.command("blob").description("keep and fetch checkpoints, datasets and traces by their digests");
  const about = (name: string, what: string): Command =>
    addTokenOption(
      group
        .command(name)
        .description(what)
        .option(
          "--store <place>",
          "a folder, s3://BUCKET/PREFIX, or a server's address; default: VERDE_BLOB_STORE, or the user's state folder",
        ) // prettier-ignore
        .option("--json", "one JSON object"),
    );
  addProgressOption(about("put", "store files by their digests").argument("<files...>", "the files")).action(put);
  addProgressOption(about("get", "fetch a blob, and check it: it continues where an earlier fetch has ended"))
    .argument("<id>", "sha256: and 64 hexadecimal digits")
    .requiredOption("--out <file>", "where the blob is written")
    .option(
      "--from <place>",
      "a place that has it, tried before --store; may be repeated: they are tried in turn",
      collected((text) => text),
    ) // prettier-ignore
    .option(
      "--tensors <root>",
      "the root of its tensors: a state's or a dataset's; then each chunk is checked when it arrives",
    ) // prettier-ignore
    .action(get);
  about("ls", "list what a place has").action(list);
  about("rm", "delete a blob").argument("<id>", "sha256: and 64 hexadecimal digits").action(remove);
  registerServe(about("serve", "offer the blobs of a place over HTTP"));
}

async function put(files: string[], flags: BlobFlags): Promise<void> {
  const place = flags.store ?? defaultStore();
  const store = isUrl(place) ? undefined : await storeAt(place);
  const tokenFor = await tokensOf(flags);
  const progress = new Progress();
  const blobs: object[] = [];
  for (const path of files) {
    const file = await openFile(path);
    try {
      const id = await blobIdOf(file);
      const tell = (done: number, size: number): void => progress.show(`${path}: ${formatBytes(done)} of ${formatBytes(size)}`); // prettier-ignore
      await (store ? putIntoStore(store, id, file, tell) : putOnServer(place, id, file, tokenFor, tell));
      progress.clear();
      const tensors = await rootOf(path);
      blobs.push({ file: path, id: formatBlobId(id), size: file.size, tensors: tensors ?? null });
      if (flags.json) continue;
      writeLine(`${formatBlobId(id)}  ${path}, ${formatBytes(file.size)}`);
      if (tensors !== undefined) writeLine(colors.dim(`  tensors ${tensors}`));
    } finally {
      await file.close();
    }
  }
  if (flags.json) writeJson({ schemaVersion: 1, store: place, blobs });
}

/** The root of the tensors of a file, if it is one that Verde can make trees of. */
async function rootOf(path: string): Promise<string | undefined> {
  const file = await openFile(path);
  try {
    return toHex(await (await TensorTrees.over(file, path)).root());
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  } finally {
    await file.close();
  }
}

interface GetFlags extends BlobFlags {
  out: string;
  from?: readonly string[];
  tensors?: string;
}

async function get(text: string, flags: GetFlags): Promise<void> {
  const id = parseBlobId(text);
  const { out } = flags;
  if (await exists(out)) throw new UsageError("EXISTS", `${out} exists; choose another name`, { path: out });
  const root = flags.tensors === undefined ? undefined : rootIn(flags.tensors);
  const places = [...(flags.from ?? []), ...(flags.from && flags.store === undefined ? [] : [flags.store ?? defaultStore()])]; // prettier-ignore
  const tokenFor = await tokensOf(flags);
  const sources = await Promise.all(places.map((place) => sourceAt(place, tokenFor)));
  const progress = new Progress();
  const part = await PartFile.open(`${out}.part`, out);
  const troubles: string[] = [];
  const events = {
    onTrouble: (sentence: string): void => {
      progress.clear();
      troubles.push(sentence);
      reportLine(`verde: ${sentence}`);
    },
    onProgress: (done: number, size: number): void => progress.show(`${out}: ${formatBytes(done)} of ${formatBytes(size)}`), // prettier-ignore
  };
  try {
    if (root) await fetchTensors(id, root, sources, part, events);
    else await fetchBlob(id, sources, part, events);
    const { size } = part;
    progress.clear();
    await part.keepAs(out);
    if (flags.json) writeJson({ schemaVersion: 1, id: formatBlobId(id), size, out, troubles });
    else writeLine(`${out} is ${formatBlobId(id)}, ${formatBytes(size)}`);
  } finally {
    await part.close();
    for (const source of sources) await source.close();
  }
}

function rootIn(text: string): StateRoot {
  if (/^0x[0-9a-f]{64}$/i.test(text)) return fromHex(text.toLowerCase(), 32) as StateRoot;
  throw new UsageError("VALUE", `--tensors ${quote(text)} is no root; write 0x and 64 hexadecimal digits`);
}

async function list(flags: BlobFlags): Promise<void> {
  const place = flags.store ?? defaultStore();
  const blobs: { id: string; size: number }[] = [];
  if (isUrl(place)) blobs.push(...(await listAt(place, await tokensOf(flags))));
  else for await (const { id, size } of (await storeAt(place)).list()) blobs.push({ id: formatBlobId(id), size });
  if (flags.json) return writeJson({ schemaVersion: 1, store: place, blobs });
  for (const { id, size } of blobs) writeLine(`${id}  ${formatBytes(size)}`);
  writeLine(colors.dim(`${blobs.length} blobs, ${formatBytes(blobs.reduce((sum, { size }) => sum + size, 0))}`));
}

async function listAt(url: string, tokenFor: TokenFor): Promise<{ id: string; size: number }[]> {
  const { base, headers } = serverAt(url, tokenFor);
  const answer = await ask(`${base}${BLOB_PATH}`, { headers });
  const text = new TextDecoder().decode(await bodyOf(answer, url, 2 ** 25));
  try {
    const { blobs } = JSON.parse(text) as { blobs: { id: BlobId; size: number }[] };
    return blobs.map(({ id, size }) => ({ id: formatBlobId(parseBlobId(id)), size: Number(size) }));
  } catch {
    throw new FormatError("KIND", `${url} has no list of blobs; name the address that \`verde blob serve\` prints`, { url }); // prettier-ignore
  }
}

async function remove(text: string, flags: BlobFlags): Promise<void> {
  const id = parseBlobId(text);
  const place = flags.store ?? defaultStore();
  const store = await storeAt(place);
  if (!(await store.delete(id))) throw new FormatError("MISSING", `${place} has no ${formatBlobId(id)}; \`verde blob ls\` lists what it has`, { id }); // prettier-ignore
  if (flags.json) writeJson({ schemaVersion: 1, store: place, deleted: formatBlobId(id) });
  else writeLine(`${formatBlobId(id)} is deleted.`);
}
