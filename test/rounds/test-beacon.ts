/** A network of one in the form of drand's, whose secret the tests have, and a server with its values. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { type Bytes, toHex } from "../../src/encoding/bytes.ts";
import { sha256 } from "../../src/encoding/hash.ts";
import type { Beacon } from "../../src/rounds/index.ts";

const { shortSignatures: scheme } = bls12_381;
const secret = new Uint8Array(32).fill(7);
/** The hash by which its servers are asked. */
const CHAIN = new Uint8Array(32).fill(3);

export const testBeacon: Beacon = {
  chain: CHAIN,
  publicKey: scheme.getPublicKey(secret).toBytes(true) as Bytes,
  first: 10,
  every: 5,
};

/** What it publishes in a round: 48 bytes. */
export function publishedIn(round: number): Bytes {
  const message = new Uint8Array(8);
  new DataView(message.buffer).setBigUint64(0, BigInt(round));
  const tag = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";
  return scheme.sign(scheme.hash(sha256(message), tag), secret).toBytes(true) as Bytes;
}

/** What a plan's run asks, without a server. */
export const given = async ({ first, every }: Beacon, round: number): Promise<Bytes> => publishedIn(first + (round - 1) * every); // prettier-ignore

/** A server of drand's HTTP interface. It answers what `reply` gives for a round: a body, or a status. */
export async function beaconServer(reply: (round: number) => string | number): Promise<{ url: string; close(): void }> {
  const prefix = `/${toHex(CHAIN).slice(2)}/public/`;
  const server = createServer(({ url = "" }, response) => {
    const found = url.startsWith(prefix) ? reply(Number(url.slice(prefix.length))) : 400;
    if (typeof found === "number") response.writeHead(found).end("{}");
    else response.writeHead(200, { "content-type": "application/json" }).end(found);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => void server.close() };
}

/** The body of an answer with a value. */
export const bodyWith = (round: number, signature: Bytes): string =>
  JSON.stringify({ round, randomness: toHex(sha256(signature)).slice(2), signature: toHex(signature).slice(2) });
