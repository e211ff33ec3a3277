/** Private keys in files: Web3 Secret Storage, version 3, as geth and most wallets write them. */
import { Keystore } from "ox";
import { type Address, type Hex, isHex } from "viem";
import { privateKeyToAddress } from "viem/accounts";
import { KeyError, messageOf } from "../errors/index.ts";
import { quote } from "../errors/text.ts";

/** The cost of guessing the password once: 256 MiB and about a second. geth uses the same. */
const STANDARD_COST = 262_144;

interface WithAddress extends Keystore.Keystore {
  address: string;
}

/**
 * A keystore that seals this key with a password.
 * @param cost the cost of deriving the key from the password, a power of two; a lower one only for keys that
 *   are public
 * @returns the file's text
 */
export function sealKey(privateKey: Hex, password: string, cost = STANDARD_COST): string {
  const [key, derivation] = Keystore.scrypt({
    password,
    n: cost,
    r: 8,
    p: 1,
    iv: crypto.getRandomValues(new Uint8Array(16)),
  });
  const sealed = Keystore.encrypt(privateKey, key, derivation);
  const address = privateKeyToAddress(privateKey).slice(2).toLowerCase();
  return `${JSON.stringify({ address, ...sealed } satisfies WithAddress, null, 2)}\n`;
}

/** The address that a keystore names. Only with the password can it be checked. */
export function addressOfKeystore(text: string, what: string): Address | undefined {
  const { address } = parse(text, what) as Partial<WithAddress>;
  if (typeof address !== "string" || !/^(0x)?[0-9a-f]{40}$/i.test(address)) return undefined;
  return `0x${address.replace(/^0x/i, "").toLowerCase()}`;
}

/**
 * @param what names the file, for errors
 * @throws {KeyError} if the file is not a keystore, or the password is wrong
 */
export function openKeystore(text: string, password: string, what: string): Hex {
  const keystore = parse(text, what);
  const { kdf } = keystore.crypto;
  if (kdf !== "scrypt" && kdf !== "pbkdf2")
    throw new KeyError(
      "UNSUPPORTED",
      `${what} derives its key with ${quote(JSON.stringify(kdf))}, but only scrypt and pbkdf2 can be read; make another keystore`,
      { what, expected: ["scrypt", "pbkdf2"], found: kdf },
    );
  try {
    return Keystore.decrypt(keystore, Keystore.toKey(keystore, { password }));
  } catch (cause) {
    // Only the authentication code tells a wrong password from the right one.
    if (messageOf(cause) === "corrupt keystore")
      throw new KeyError(
        "PASSWORD_WRONG",
        `the password does not open ${what}; give the password that it was made with`,
        {
          what,
        },
      );
    throw new KeyError(
      "MALFORMED",
      `${what} is not a keystore that can be opened: ${messageOf(cause)}; restore it from a copy`,
      { what },
    );
  }
}

function parse(text: string, what: string): Keystore.Keystore {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new KeyError("MALFORMED", `${what} is not a keystore: it is not JSON; restore it, or name another file`, {
      what,
    });
  }
  const { version, crypto } = (value ?? {}) as Partial<Keystore.Keystore>;
  const { ciphertext, cipher, mac } = crypto ?? {};
  if (version !== 3 || cipher !== "aes-128-ctr" || !isHex(`0x${ciphertext}`) || typeof mac !== "string")
    throw new KeyError(
      "MALFORMED",
      `${what} is not a keystore of version 3 with aes-128-ctr; restore it, or make one with \`verde key new\``,
      { what },
    );
  return value as Keystore.Keystore;
}

/** @throws {KeyError} that does not repeat the text */
export function parsePrivateKey(text: string, what: string): Hex {
  const digits = text.trim().replace(/^0x/i, "");
  if (!/^[0-9a-f]{64}$/i.test(digits))
    throw new KeyError("MALFORMED", `${what} is not a private key; write 64 hexadecimal digits`, { what });
  const key: Hex = `0x${digits}`;
  try {
    privateKeyToAddress(key);
  } catch {
    throw new KeyError(
      "MALFORMED",
      `${what} is not a private key: the number is zero or too large; make one with \`verde key new\``,
      { what },
    );
  }
  return key;
}
