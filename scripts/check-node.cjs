// Runs before `npm test` and `npm run build`, on whatever Node there is: plain old JavaScript.
var major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  console.error(
    "verde: this is Node " +
      process.versions.node +
      ", but Verde needs Node 24 or newer.\n" +
      "       `./verde` installs one into .node; put it first: PATH=.node/bin:$PATH",
  );
  process.exit(1);
}
