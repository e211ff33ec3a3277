/** Failures of keys. */
import { type Evidence, type SubCodes, VerdeError } from "./verde-error.ts";

export const KEY = {
  MISSING: { when: "No key is named.", remedy: "Name a keystore with `--keystore`, or set `VERDE_PRIVATE_KEY`." },
  FILE_MISSING: {
    when: "There is no keystore or password file of this name.",
    remedy: "Check the path, or make a keystore with `verde key new FILE`.",
  },
  UNREADABLE: { when: "The keystore or password file can't be read.", remedy: "Give a file that you may read." },
  MALFORMED: {
    when: "The text is not a private key, or the file is not a keystore.",
    remedy: "Give 64 hexadecimal digits, or a keystore of version 3.",
  },
  UNSUPPORTED: {
    when: "The keystore derives its key in a way that Verde does not support.",
    remedy: "Write it again with scrypt or pbkdf2.",
  },
  ADDRESS: {
    when: "The keystore names an address that does not belong to its key.",
    remedy: "Use the address of the key, and make the keystore again.",
  },
  PASSWORD_MISSING: {
    when: "No password is given.",
    remedy: "Set `VERDE_PASSWORD`, or name a file with `--password-file`.",
  },
  PASSWORD_EMPTY: { when: "The password of a new keystore is empty.", remedy: "Choose a password." },
  PASSWORDS_DIFFER: { when: "The two typed passwords differ.", remedy: "Run the command again." },
  PASSWORD_WRONG: {
    when: "The password does not open the keystore.",
    remedy: "Give the password that the keystore was made with.",
  },
} as const satisfies SubCodes;

/** A key of `KEY`. */
export type KeySubCode = keyof typeof KEY;

/**
 * A private key is missing, malformed, or encrypted with another password. The message never repeats a key or
 * a password.
 */
export class KeyError extends VerdeError<"VERDE_KEY", KeySubCode> {
  constructor(subCode: KeySubCode, message: string, evidence?: Evidence) {
    super("VERDE_KEY", subCode, message, evidence);
  }
}
