/** The hash of a contract's code, without what its constructor fills in. */
import { type Hex, keccak256 } from "viem";

/** Code as the compiler gives it: zeros where the constructor fills values in. */
export interface DeployedCode {
  deployedBytecode: Hex;
  immutableReferences: Record<string, { start: number; length: number }[]>;
}

/** The hash, and where the values begin: each has 32 bytes. */
export function codeHash({ deployedBytecode, immutableReferences }: DeployedCode): { hash: Hex; filled: number[] } {
  const places = Object.values(immutableReferences).flat();
  if (places.some(({ length }) => length !== 32)) throw new Error("a value of a constructor has not 32 bytes");
  return { hash: keccak256(deployedBytecode), filled: places.map(({ start }) => start).sort((a, b) => a - b) };
}
