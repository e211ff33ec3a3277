/** Every entry of the package loads this first, so that an engine that is too old gets a clear error. */
const NEEDED = 24;

/**
 * A browser has no version of Node. Every browser with modules and WebAssembly SIMD is accepted.
 * @throws {Error} for a version below 24
 */
export function checkEngine(version: string | undefined): void {
  if (version !== undefined && Number.parseInt(version, 10) < NEEDED)
    throw new Error(
      `Verde needs Node ${NEEDED} or newer, and this is Node ${version}; install Node ${NEEDED} and start again`,
    );
}

checkEngine((globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node);
