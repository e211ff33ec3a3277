// Runs before `npm test`, on whatever Node there is: plain old JavaScript.
var major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  console.error(
    "verde: this is Node " +
      process.versions.node +
      ", but Verde needs Node 24 or newer.\n" +
      "       `./verde test` and `./verde demo` bring one along; npm by itself can't.",
  );
  process.exit(1);
}
