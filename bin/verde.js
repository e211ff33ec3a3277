#!/usr/bin/env node
// The command `verde` of the installed package. It is plain JavaScript, so that an old Node can read it and say what is
// wrong. Node refuses TypeScript below node_modules: there the built files run, and in a checkout the sources do.
import module from "node:module";
import { fileURLToPath } from "node:url";

const NEEDED = 24;
const version = process.versions.node;
if (Number.parseInt(version, 10) < NEEDED) {
  process.stderr.write(
    `verde: this needs Node ${NEEDED} or newer, and this is Node ${version}; install Node ${NEEDED} and start again\n`,
  );
  process.exitCode = 3;
} else {
  // Node keeps the modules that it has compiled, so that a start takes half as long.
  module.enableCompileCache?.();
  const installed = /[\\/]node_modules[\\/]/.test(fileURLToPath(import.meta.url));
  await import(installed ? "../dist/src/cli/main.js" : "../src/cli/main.ts").catch((error) => {
    process.stderr.write(`verde: the program can't be loaded: ${error.message}; install the package again\n`);
    process.exitCode = 3;
  });
}
