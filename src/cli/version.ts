/** `verde --version`: the versions that two parties compare before they compare their runs. */
import { createRequire } from "node:module";
import type { Command } from "commander";
import { DIGESTS } from "../certify/digests.ts";
import { toHex } from "../encoding/bytes.ts";
import { sha256 } from "../encoding/hash.ts";
import { SPEC_VERSION } from "../encoding/tags.ts";
import { OPERATORS } from "../graph/operators.ts";
import { FORMAT_VERSION } from "../trace/manifest.ts";
import { formatFields } from "./table.ts";

export function register(program: Command, words: readonly string[] = []): void {
  const found = versions();
  const text = words.includes("--json") ? JSON.stringify({ schemaVersion: 1, ...found }) : describe(found);
  program.version(text, "-V, --version", "show the versions of package, specification, operators and trace format");
}

export function versions() {
  const { version } = createRequire(import.meta.url)("@verde-ml/verde/package.json") as { version: string };
  return {
    version,
    specification: SPEC_VERSION,
    operatorSet: { operators: OPERATORS.length, digest: operatorSet() },
    traceFormat: FORMAT_VERSION,
    node: process.versions.node,
  };
}

/** The digest of the names and digests of all conformance vectors: equal for equal operators and kernels. */
function operatorSet(): string {
  const vectors = Object.entries(DIGESTS).sort(([a], [b]) => (a < b ? -1 : 1));
  return toHex(sha256(new TextEncoder().encode(JSON.stringify(vectors))));
}

function describe({ version, specification, operatorSet: { operators, digest }, traceFormat, node }: Versions): string {
  const fields = [
    ["specification", `${specification}`],
    ["operators", `${operators}, ${digest}`],
    ["trace format", `${traceFormat}`],
    ["Node", node],
  ] as const;
  return [`verde ${version}`, ...formatFields(fields, false)].join("\n");
}

type Versions = ReturnType<typeof versions>;
