/**
 * The seed of all properties. fast-check prints it when one fails, with the path to the smallest case that
 * does.
 */
export const SEED = 20261120;
