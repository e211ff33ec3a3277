/**
 * Blobs in a bucket of S3, or of a server that speaks its protocol. A blob is written to a folder here first,
 * and sent when its digest is right: nobody can read wrong bytes from the bucket, and a transfer that ends
 * early continues with the part that is missing.
 */
import { rm } from "node:fs/promises";
import type { S3Client } from "@aws-sdk/client-s3";
import { BackendError, FileError, FormatError, messageOf } from "../errors/index.ts";
import { readRegularText } from "../files/regular.ts";
import { replaceFile } from "../files/replace.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import type { FolderStore } from "./folder-store.ts";
import { type BlobId, formatBlobId, isBlobId } from "./id.ts";
import type { PartFile } from "./part-file.ts";
import type { BlobInfo, BlobStore, Upload } from "./store.ts";

type Sdk = typeof import("@aws-sdk/client-s3");

/** The bytes of a part: S3 takes parts of 5 MiB and more, and 10,000 of them. */
const LEAST_PART = 2 ** 24;
const MOST_PARTS = 10_000;

/** An upload in parts that is under way. */
interface Sent {
  /** The bytes of a part. */
  most: number;
  upload: string;
  /** What the bucket has answered to each part. */
  tags: string[];
}

export interface S3Options {
  bucket: string;
  /** What stands before the names of blobs, without a slash at its end. Default: nothing. */
  prefix?: string;
  /** Holds blobs until they are whole. */
  spool: FolderStore;
  /** The address of a server that is not Amazon's. Default: `AWS_ENDPOINT_URL_S3`. */
  endpoint?: string;
  /** The bytes of a part of a long blob, for tests. */
  partBytes?: number;
}

export class S3Store implements BlobStore {
  readonly name: string;
  private readonly sdk: Sdk;
  private readonly client: S3Client;
  private readonly options: S3Options;

  private constructor(sdk: Sdk, options: S3Options) {
    const { bucket, prefix, endpoint = process.env["AWS_ENDPOINT_URL_S3"] || undefined } = options;
    this.name = `s3://${bucket}${prefix ? `/${prefix}` : ""}`;
    this.sdk = sdk;
    this.options = options;
    // Keys and region come from where Amazon's programs have them: the environment, or the user's files.
    this.client = new sdk.S3Client(endpoint === undefined ? {} : { endpoint, forcePathStyle: true });
  }

  /** @throws {BackendError} when the package is not installed */
  static async open(options: S3Options): Promise<S3Store> {
    let sdk: Sdk;
    try {
      sdk = await import("@aws-sdk/client-s3");
    } catch (cause) {
      throw new BackendError("PACKAGE_MISSING", `s3://${options.bucket} needs the package @aws-sdk/client-s3; install it with \`npm install @aws-sdk/client-s3\` (${messageOf(cause)})`); // prettier-ignore
    }
    return new S3Store(sdk, options);
  }

  async sizeOf(id: BlobId): Promise<number | undefined> {
    try {
      return (await this.client.send(new this.sdk.HeadObjectCommand(this.at(id)))).ContentLength ?? 0;
    } catch (cause) {
      if (isAbsent(cause)) return undefined;
      throw this.failure(id, cause);
    }
  }

  async open(id: BlobId): Promise<ByteSource> {
    const size = await this.sizeOf(id);
    if (size === undefined)
      throw new FormatError("MISSING", `${this.name} has no ${formatBlobId(id)}; put it there with \`verde blob put\``, { id }); // prettier-ignore
    return {
      size,
      read: async (from, length) => {
        const end = Math.min(from + length, size);
        if (end <= from) return new Uint8Array(0);
        try {
          const Range = `bytes=${from}-${end - 1}`;
          const { Body } = await this.client.send(new this.sdk.GetObjectCommand({ ...this.at(id), Range }));
          return new Uint8Array(await Body!.transformToByteArray());
        } catch (cause) {
          throw this.failure(id, cause);
        }
      },
      close: async () => undefined,
    };
  }

  async *list(): AsyncIterable<BlobInfo> {
    const start = this.at("" as BlobId).Key;
    let ContinuationToken: string | undefined;
    do {
      const page = await this.client
        .send(new this.sdk.ListObjectsV2Command({ Bucket: this.options.bucket, Prefix: start, ContinuationToken }))
        .catch((cause: unknown) => {
          throw this.failure(undefined, cause);
        });
      for (const { Key = "", Size = 0 } of page.Contents ?? []) {
        const id = Key.slice(start.length);
        if (isBlobId(id)) yield { id, size: Size };
      }
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
  }

  partOf(id: BlobId): Promise<number | undefined> {
    return this.options.spool.partOf(id);
  }

  async write(id: BlobId, size: number): Promise<Upload> {
    const upload = await this.options.spool.write(id, size);
    const { part } = upload;
    return {
      part,
      close: () => upload.close(),
      finish: async () => {
        // Keeps the bytes here when the bucket does not take them, so that another try sends only those.
        try {
          await part.expect(id);
        } catch (error) {
          await part.drop();
          await upload.close();
          throw error;
        }
        await (part.size <= this.partBytes(part.size) ? this.sendWhole(id, part) : this.sendParts(id, part));
        await part.cut(0);
        await upload.close();
      },
    };
  }

  async delete(id: BlobId): Promise<boolean> {
    if ((await this.sizeOf(id)) === undefined) return false;
    await this.client.send(new this.sdk.DeleteObjectCommand(this.at(id))).catch((cause: unknown) => {
      throw this.failure(id, cause);
    });
    return true;
  }

  close(): void {
    this.client.destroy();
  }

  private partBytes(size: number): number {
    return Math.max(this.options.partBytes ?? LEAST_PART, Math.ceil(size / MOST_PARTS));
  }

  private async sendWhole(id: BlobId, part: PartFile): Promise<void> {
    const Body = await part.read(0, part.size);
    await this.client.send(new this.sdk.PutObjectCommand({ ...this.at(id), Body })).catch((cause: unknown) => {
      throw this.unwritten(id, cause);
    });
  }

  /**
   * In parts. What was sent is noted beside the bytes, so that another try does not send it again: not every
   * server and not every key lets a client list unfinished uploads.
   */
  private async sendParts(id: BlobId, part: PartFile): Promise<void> {
    const { sdk, client } = this;
    const notes = this.options.spool.notesOf(id);
    const most = this.partBytes(part.size);
    try {
      let sent = await sentIn(notes, most);
      for (let tries = 0; ; tries++) {
        sent ??= { most, upload: (await client.send(new sdk.CreateMultipartUploadCommand(this.at(id)))).UploadId!, tags: [] }; // prettier-ignore
        try {
          await this.sendRest(id, part, sent, notes);
          break;
        } catch (cause) {
          // Buckets forget uploads that are not continued for some days.
          if ((cause as Error).name !== "NoSuchUpload" || tries > 0) throw cause;
          sent = undefined;
        }
      }
    } catch (cause) {
      throw this.unwritten(id, cause);
    }
    await rm(notes, { force: true });
  }

  private async sendRest(id: BlobId, part: PartFile, sent: Sent, notes: string): Promise<void> {
    const { sdk, client } = this;
    const { most, upload: UploadId, tags } = sent;
    while (tags.length * most < part.size) {
      const Body = await part.read(tags.length * most, most);
      const { ETag } = await client.send(new sdk.UploadPartCommand({ ...this.at(id), UploadId, PartNumber: tags.length + 1, Body })); // prettier-ignore
      tags.push(ETag!);
      await replaceFile(notes, JSON.stringify(sent));
    }
    const Parts = tags.map((ETag, i) => ({ PartNumber: i + 1, ETag }));
    await client.send(new sdk.CompleteMultipartUploadCommand({ ...this.at(id), UploadId, MultipartUpload: { Parts } }));
  }

  private at(id: BlobId): { Bucket: string; Key: string } {
    const { bucket, prefix } = this.options;
    return { Bucket: bucket, Key: `${prefix ? `${prefix}/` : ""}sha256/${id}` };
  }

  private failure(id: BlobId | undefined, cause: unknown): FormatError {
    const what = id === undefined ? this.name : `${this.name}/sha256/${id}`;
    return new FormatError("UNREADABLE", `${what} can't be read: ${saidBy(cause)}; check the bucket, its address and the keys (AWS_ENDPOINT_URL_S3, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION)`); // prettier-ignore
  }

  private unwritten(id: BlobId, cause: unknown): FileError {
    return new FileError("UNWRITABLE", `${this.name}/sha256/${id} can't be written: ${saidBy(cause)}; the bytes are kept here, so run the command again`, { id }); // prettier-ignore
  }
}

/** What an earlier try has sent. `undefined` if it has sent nothing, or parts of another length. */
async function sentIn(notes: string, most: number): Promise<Sent | undefined> {
  try {
    const sent = JSON.parse(await readRegularText(notes)) as Partial<Sent>;
    const isWhole = typeof sent.upload === "string" && Array.isArray(sent.tags) && sent.tags.every((tag) => typeof tag === "string"); // prettier-ignore
    return isWhole && sent.most === most ? (sent as Sent) : undefined;
  } catch {
    return undefined;
  }
}

/** What the server says, or what kept it from saying anything. */
function saidBy(cause: unknown): string {
  const { name } = cause as { name?: string };
  return name === undefined || name === "Error" ? messageOf(cause) : `${name}: ${messageOf(cause)}`;
}

function isAbsent(cause: unknown): boolean {
  const { name, $metadata } = cause as { name?: string; $metadata?: { httpStatusCode?: number } };
  return name === "NotFound" || name === "NoSuchKey" || $metadata?.httpStatusCode === 404;
}
