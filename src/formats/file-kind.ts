/** What a file is, by its first bytes: for people who named a file of another kind than is read here. */
import type { Bytes } from "../encoding/bytes.ts";

/** A kind of file that is known by its first bytes. */
export interface FileKind {
  /** As in "FILE is …": `a Git LFS pointer, not the file that it stands for`. */
  readonly what: string;
  /** What the user can do. */
  readonly then: string;
}

/** So many bytes of the beginning of a file are enough for `fileKind`. */
export const KIND_BYTES = 512;

const SAVE = "save the weights as safetensors";
const TORCH: FileKind = {
  what: "a PyTorch file of pickled Python objects, which only Python can read",
  then: `${SAVE} (Python: safetensors.torch.save_file(model.state_dict(), FILE))`,
};
const NUMPY_THEN = `${SAVE} (Python: safetensors.numpy.save_file)`;
/** What a text or a binary file begins with. Letters stand for their codes. */
const BEGINNINGS: readonly (readonly [RegExp, FileKind])[] = [
  [
    /^version https:\/\/git-lfs/,
    { what: "a Git LFS pointer, not the file that it stands for", then: "fetch the file with `git lfs pull`" },
  ],
  [/^VERDETR1/, { what: "a Verde trace", then: "name a file of the data folder beside it" }],
  [/^VERDEJB1/, { what: "a Verde job file", then: "run it with `verde run`" }],
  [/^(GGUF|ggjt|ggml|lmgg|tjgg)/, { what: "a GGUF or GGML file", then: `${SAVE}, not quantised` }],
  [/^\x93NUMPY/, { what: "a NumPy array (.npy)", then: NUMPY_THEN }],
  [/^\x89HDF\r\n\x1a\n/, { what: "an HDF5 file, as Keras writes", then: SAVE }],
  [/^PK\x03\x04[^]{26}[^]{0,200}\/?data\.pkl/, TORCH],
  [/^PK\x03\x04[^]{26}[^]{0,200}\.npy/, { what: "a NumPy archive (.npz)", then: NUMPY_THEN }],
  [/^PK\x03\x04/, { what: "a zip archive", then: "unpack it, and name a file of it" }],
  [/^\x80[\x02-\x05][^]/, TORCH],
  [/^\x1f\x8b\x08/, { what: "compressed with gzip", then: "unpack it first" }],
  [/^\x28\xb5\x2f\xfd/, { what: "compressed with zstd", then: "unpack it first" }],
  [
    /^(\xef\xbb\xbf)?\s*<(!doctype html|html)/i,
    { what: "a web page, not the file itself", then: "download the file again" },
  ],
  [
    /^(\xef\xbb\xbf)?\s*\{[^]*"weight_map"/,
    { what: "the index of a model that lies in several files", then: "join those files into one safetensors file" },
  ],
  [/^(\xef\xbb\xbf)?\s*[{[]\s*["{[\]}]/, { what: "a JSON text", then: "name a file of tensors" }],
];

/**
 * The kind of a file, by its first bytes; `undefined` for a safetensors file, and for what is not known.
 * @param head the first `KIND_BYTES` of the file, or all of it
 */
export function fileKind(head: Bytes): FileKind | undefined {
  if (looksLikeSafetensors(head)) return undefined;
  const text = String.fromCharCode(...head.subarray(0, KIND_BYTES));
  return BEGINNINGS.find(([beginning]) => beginning.test(text))?.[1];
}

/** A length of at most 4 GiB, and the brace that begins a header. No other kind above begins so. */
export function looksLikeSafetensors(head: Bytes): boolean {
  return head.length > 8 && head[8] === 0x7b && head.subarray(4, 8).every((byte) => byte === 0);
}
