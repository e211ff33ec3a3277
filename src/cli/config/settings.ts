/**
 * What `verde.toml` and the environment can set: options of services, and of whatever talks to a chain. Each
 * setting is an option of a command. A test holds this list to the commands.
 */

/** How a setting is written in the file. A number may be a text, as on the command line. */
export type Kind = "text" | "number" | "boolean" | "list";

export interface Setting {
  /** `provider.jobs`: the table of the file, and the long name of the option. */
  readonly name: string;
  readonly section: Section;
  /** The option, without its dashes. */
  readonly key: string;
  readonly kind: Kind;
  /** The variable of the environment that counts for more than the file. */
  readonly env: string;
}

/** The tables of the file, with what each covers, and its settings. */
export const SECTIONS = {
  chain: {
    about: "commands that talk to a chain",
    keys: { rpc: "list", deployment: "text", journal: "text", confirmations: "number", "max-fee": "number" },
  },
  keys: { about: "commands that sign", keys: { keystore: "text", "password-file": "text" } },
  network: { about: "commands on a network", keys: { network: "text", nkey: "text", "reached-at": "text" } },
  provider: {
    about: "`verde provider`",
    keys: {
      jobs: "text",
      folder: "text",
      tasks: "number",
      every: "text",
      backend: "text",
      committee: "list",
      game: "list",
      policy: "text",
      "accept-risk": "list",
      threads: "number",
      metrics: "text",
      log: "text",
      listen: "text",
      "token-file": "text",
      operator: "text",
      "drawn-only": "boolean",
    },
  },
  prove: {
    about: "`verde prove`",
    keys: {
      listen: "text",
      nats: "text",
      topic: "text",
      "tls-cert": "text",
      "tls-key": "text",
      "token-file": "text",
      files: "boolean",
      backend: "text",
      memory: "number",
      threads: "number",
      metrics: "text",
      log: "text",
    },
  },
  serve: { about: "`verde serve`", keys: { host: "text", port: "number" } },
  blob: {
    about: "`verde blob`",
    keys: {
      store: "text",
      "token-file": "text",
      listen: "text",
      "tls-cert": "text",
      "tls-key": "text",
      quota: "text",
      "read-only": "boolean",
      metrics: "text",
      log: "text",
    },
  },
} as const satisfies Record<string, { about: string; keys: Readonly<Record<string, Kind>> }>;

/** A table of the file. */
export type Section = keyof typeof SECTIONS;

/** Tables whose settings need no further word in their variables: `VERDE_RPC`, `VERDE_KEYSTORE`. */
const SHORT: ReadonlySet<string> = new Set<Section>(["chain", "keys", "network"]);
const upper = (text: string): string => text.toUpperCase().replaceAll("-", "_");

export const SETTINGS: readonly Setting[] = Object.entries(SECTIONS).flatMap(([section, { keys }]) =>
  Object.entries(keys as Record<string, Kind>).map(([key, kind]) => ({
    name: `${section}.${key}`,
    section: section as Section,
    key,
    kind,
    env: SHORT.has(section) ? `VERDE_${upper(key)}` : `VERDE_${upper(section)}_${upper(key)}`,
  })),
);

/** Variables that are no settings: secrets, folders, and what shows how a command works. */
export const OTHER_VARIABLES: readonly string[] = [
  "VERDE_CACHE",
  "VERDE_CC",
  "VERDE_CONFIG",
  "VERDE_CUDA_DEVICE",
  "VERDE_DEBUG",
  "VERDE_LIBCUDA",
  "VERDE_PASSWORD",
  "VERDE_PRIVATE_KEY",
  "VERDE_PROGRESS",
  "VERDE_STATE",
  "VERDE_THREADS",
  "VERDE_TOKEN",
];

/**
 * Whether a setting is about a command.
 * @param path the words of the command: `provider run`
 * @param options the long names of its options, with their dashes
 */
export function covers({ section }: Setting, path: string, options: ReadonlySet<string>): boolean {
  if (section === "chain") return options.has("--deployment") || path.startsWith("chain ");
  if (section === "network") return options.has("--network") || options.has("--nkey");
  if (section === "keys") return options.has("--keystore") || options.has("--password-file");
  return path === section || path.startsWith(`${section} `);
}
