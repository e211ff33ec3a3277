/** Where blobs are: a folder, a bucket `s3://BUCKET/PREFIX`, or the address of a server. */
import { join } from "node:path";
import { FolderStore } from "../blobs/folder-store.ts";
import { S3Store } from "../blobs/s3-store.ts";
import { type BlobSource, ServerSource, StoreSource } from "../blobs/source.ts";
import type { BlobStore } from "../blobs/store.ts";
import { KeyError, UsageError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { stateFolder } from "../files/places.ts";
import { isUrl, type TokenFor } from "../formats/http.ts";

/** A folder in the user's state folder. */
export function defaultStore(): string {
  const state = stateFolder();
  if (state !== undefined) return join(state, "blobs");
  throw new KeyError("UNREADABLE", "this user has no home folder, in which blobs would be; name a place with --store");
}

/**
 * @param quota the most bytes of a folder
 * @throws {UsageError} for the address of a server, or a bucket without a name
 */
export async function storeAt(place: string, quota?: number): Promise<BlobStore> {
  if (isUrl(place))
    throw new UsageError("VALUE", `${place} is a server, and no place to keep blobs; name a folder or s3://BUCKET/PREFIX`); // prettier-ignore
  const folder = (path: string): FolderStore => new FolderStore(path, quota === undefined ? {} : { quota });
  if (!/^s3:/i.test(place)) return folder(place);
  const [, bucket, prefix] = /^s3:\/\/([\w.-]{3,63})(?:\/([^/].*?))?\/*$/i.exec(place) ?? [];
  if (bucket === undefined)
    throw new UsageError("VALUE", `${quote(place)} is no bucket; write s3://BUCKET, or s3://BUCKET/PREFIX`, { place });
  const state = stateFolder() ?? ".";
  return S3Store.open({ bucket, ...(prefix !== undefined && { prefix }), spool: folder(join(state, "blobs-s3", bucket)) }); // prettier-ignore
}

/** What blobs can be fetched from. */
export async function sourceAt(place: string, tokenFor: TokenFor): Promise<BlobSource> {
  return isUrl(place) ? new ServerSource(place, tokenFor) : new StoreSource(await storeAt(place));
}
