/** What a file is, by its first bytes: for people who named a file of another kind than is read here. */
import { type Bytes, toHex } from "../encoding/bytes.ts";

/** A kind of file that is known by its first bytes. */
export interface FileKind {
  /** As in "FILE is …": `a Git LFS pointer, not the file that it stands for`. */
  readonly what: string;
  /** What the user can do. */
  readonly remedy: string;
}

/** So many bytes of the beginning of a file are enough for `fileKind`. */
export const KIND_BYTES = 512;

const SAVE = "save the weights as safetensors";
const TORCH: FileKind = {
  what: "a PyTorch file of pickled Python objects, which only Python can read",
  remedy: `${SAVE} (Python: safetensors.torch.save_file(model.state_dict(), FILE))`,
};
const NUMPY = `${SAVE} (Python: safetensors.numpy.save_file)`;
/** What files begin with: a pattern for text, hexadecimal digits for bytes. The first that fits is taken. */
const BEGINNINGS: readonly (readonly [RegExp | string, FileKind])[] = [
  [
    /^version https:\/\/git-lfs/,
    { what: "a Git LFS pointer, not the file that it stands for", remedy: "fetch the file with `git lfs pull`" },
  ],
  [/^VERDETR1/, { what: "a Verde trace", remedy: "name a file of the data folder beside it" }],
  [/^VERDESC1/, { what: "a sealed checkpoint", remedy: "open it with `verde task open`, once its key is released" }],
  [/^VERDEJB1/, { what: "a Verde job file", remedy: "run it with `verde run`" }],
  [/^(GGUF|ggjt|ggml|lmgg|tjgg)/, { what: "a GGUF or GGML file", remedy: `${SAVE}, not quantised` }],
  ["934e554d5059", { what: "a NumPy array (.npy)", remedy: NUMPY }],
  ["894844460d0a1a0a", { what: "an HDF5 file, as Keras writes", remedy: SAVE }],
  [/^PK[^]{28,228}data\.pkl/, TORCH],
  [/^PK[^]{28,228}\.npy/, { what: "a NumPy archive (.npz)", remedy: NUMPY }],
  ["504b0304", { what: "a zip archive", remedy: "unpack it, and name a file of it" }],
  ...["8002", "8003", "8004", "8005"].map((protocol) => [protocol, TORCH] as const),
  ["1f8b08", { what: "compressed with gzip", remedy: "unpack it first" }],
  ["28b52ffd", { what: "compressed with zstd", remedy: "unpack it first" }],
  [
    /^(\xef\xbb\xbf)?\s*<(!doctype html|html)/i,
    { what: "a web page, not the file itself", remedy: "download the file again" },
  ],
  [
    /^(\xef\xbb\xbf)?\s*\{[^]*"weight_map"/,
    { what: "the index of a model that lies in several files", remedy: "join those files into one safetensors file" },
  ],
  [/^(\xef\xbb\xbf)?\s*[{[]\s*["{[\]}]/, { what: "a JSON text", remedy: "name a file of tensors" }],
];

/**
 * The kind of a file, by its first bytes; `undefined` for a safetensors file, and for what is not known.
 * @param head the first `KIND_BYTES` of the file, or all of it
 */
export function fileKind(head: Bytes): FileKind | undefined {
  if (looksLikeSafetensors(head)) return undefined;
  const bytes = head.subarray(0, KIND_BYTES);
  const [text, digits] = [String.fromCharCode(...bytes), toHex(bytes).slice(2)];
  const fits = (beginning: RegExp | string): boolean =>
    typeof beginning === "string" ? digits.startsWith(beginning) : beginning.test(text);
  return BEGINNINGS.find(([beginning]) => fits(beginning))?.[1];
}

/** A length of at most 4 GiB, and the brace that begins a header. No other kind above begins so. */
export function looksLikeSafetensors(head: Bytes): boolean {
  return head.length > 8 && head[8] === 0x7b && head.subarray(4, 8).every((byte) => byte === 0);
}
