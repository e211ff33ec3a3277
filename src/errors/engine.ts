/** Loaded with every entry of the package: an engine that is too old is named, before it fails in its own words. */
const NEEDED = 24;

/**
 * A browser has no version of Node, and every one that has modules and WebAssembly SIMD will do.
 * @throws {Error} for a version below 24
 */
export function checkEngine(version: string | undefined): void {
  if (version !== undefined && Number.parseInt(version, 10) < NEEDED)
    throw new Error(
      `Verde needs Node ${NEEDED} or newer, and this is Node ${version}; install Node ${NEEDED} and start again`,
    );
}

checkEngine((globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node);
