/** Keystores: those of others open here, ours elsewhere, and no failure tells a key. */
import { Keystore } from "ox";
import type { Hex } from "viem";
import { privateKeyToAddress } from "viem/accounts";
import { describe, expect, it } from "vitest";
import { KeyError, messageOf } from "../../src/errors/index.ts";
import { addressOfKeystore, openKeystore, parsePrivateKey, sealKey } from "../../src/settlement/keystore.ts";

const KEY: Hex = "0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
const CHEAP = 1024;
/** The two vectors of the definition of the format (ethereum.org, Web3 secret storage). */
const SCRYPT = {
  crypto: {
    cipher: "aes-128-ctr",
    cipherparams: { iv: "83dbcc02d8ccb40e466191a123791e0e" },
    ciphertext: "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
    kdf: "scrypt",
    kdfparams: {
      dklen: 32,
      n: 262144,
      p: 8,
      r: 1,
      salt: "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
    },
    mac: "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
  },
  id: "3198bc9c-6672-5ab3-d995-4942343ae5b6",
  version: 3,
};
const PBKDF2 = {
  crypto: {
    cipher: "aes-128-ctr",
    cipherparams: { iv: "6087dab2f9fdbbfaddc31a909735c1e6" },
    ciphertext: "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
    kdf: "pbkdf2",
    kdfparams: {
      c: 262144,
      dklen: 32,
      prf: "hmac-sha256",
      salt: "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
    },
    mac: "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
  },
  id: "3198bc9c-6672-5ab3-d995-4942343ae5b6",
  version: 3,
};

/** The error that is thrown; it must not repeat a secret. */
function failure(action: () => unknown, ...secrets: string[]): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(KeyError);
    const told = `${messageOf(error)} ${JSON.stringify((error as KeyError).evidence)}`;
    for (const secret of secrets) expect(told).not.toContain(secret);
    return messageOf(error);
  }
  throw new Error("nothing was thrown");
}

describe("a keystore", () => {
  it.each([
    ["scrypt", SCRYPT],
    ["pbkdf2", PBKDF2],
  ])("of the format's definition opens (%s)", (_kdf, keystore) => {
    expect(openKeystore(JSON.stringify(keystore), "testpassword", "vector")).toBe(KEY);
  });

  it("of ours opens with its password alone, here and with the library", () => {
    const text = sealKey(KEY, "pässword", CHEAP);
    expect(openKeystore(text, "pässword", "file")).toBe(KEY);
    expect(text).not.toContain(KEY.slice(2));
    const keystore = JSON.parse(text) as Keystore.Keystore;
    expect(Keystore.decrypt(keystore, Keystore.toKey(keystore, { password: "pässword" }))).toBe(KEY);
    expect(failure(() => openKeystore(text, "other secret", "file"), "other secret", KEY.slice(2))).toBe(
      "the password does not open file; give the password that it was made with",
    );
    expect(addressOfKeystore(text, "file")).toBe(privateKeyToAddress(KEY).toLowerCase());
  });

  it("that is none is refused with a sentence", () => {
    const open = (text: string) => failure(() => openKeystore(text, "p", "file"));
    expect(open("hello")).toBe("file is not a keystore: it is not JSON; restore it, or name another file");
    for (const text of ["null", "{}", "[]", JSON.stringify({ ...SCRYPT, version: 1 })])
      expect(open(text)).toBe(
        "file is not a keystore of version 3 with aes-128-ctr; restore it, or make one with `verde key new`",
      );
    const crypto = { ...SCRYPT.crypto, kdf: "bcrypt" };
    expect(open(JSON.stringify({ ...SCRYPT, crypto }))).toContain('derives its key with "bcrypt"');
    const without = { ...SCRYPT.crypto, kdfparams: {} };
    expect(open(JSON.stringify({ ...SCRYPT, crypto: without }))).toContain("is not a keystore that can be opened");
  });
});

describe("a private key", () => {
  it("is read with and without its prefix", () => {
    for (const text of [KEY, KEY.slice(2), ` ${KEY}\n`]) expect(parsePrivateKey(text, "it")).toBe(KEY);
  });

  it("that is none is refused without being repeated", () => {
    const order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    for (const text of ["secret words", `${KEY}00`, "0".repeat(64), order, KEY.slice(2).replace("7", "g")])
      expect(failure(() => parsePrivateKey(text, "it"), text)).toMatch(/^it is not a private key[:;] /);
  });
});
