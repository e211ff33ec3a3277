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
    when: "The text is no private key, or the file no keystore.",
    remedy: "Give 64 hexadecimal digits, or a keystore of version 3.",
  },
  UNSUPPORTED: {
    when: "The keystore derives its key in a way that is not read here.",
    remedy: "Write it anew with scrypt or pbkdf2.",
  },
  ADDRESS: {
    when: "The keystore names another address than that of its key.",
    remedy: "Use the address of the key, and make the keystore anew.",
  },
  PASSWORD_MISSING: {
    when: "No password is given.",
    remedy: "Set `VERDE_PASSWORD`, or name a file with `--password-file`.",
  },
  PASSWORD_EMPTY: { when: "The password of a new keystore is empty.", remedy: "Choose a password." },
  PASSWORDS_DIFFER: { when: "The password was typed in two ways.", remedy: "Start again." },
  PASSWORD_WRONG: {
    when: "The password does not open the keystore.",
    remedy: "Give the password that the keystore was made with.",
  },
} as const satisfies SubCodes;

/** A key of `KEY`. */
export type KeySubCode = keyof typeof KEY;

/** A private key that is missing, malformed, or under another password. The message never repeats a key or a password. */
export class KeyError extends VerdeError<"VERDE_KEY", KeySubCode> {
  constructor(subCode: KeySubCode, message: string, evidence?: Evidence) {
    super("VERDE_KEY", subCode, message, evidence);
  }
}
