/** A local chain's rules. Public types name them, so they stand apart from Hardhat, which is optional. */
export const HARDFORKS = ["cancun", "prague", "osaka"] as const;
/** The rules of a fork of Ethereum. */
export type Hardfork = (typeof HARDFORKS)[number];
