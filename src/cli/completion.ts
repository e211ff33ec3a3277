/**
 * `verde completion`: scripts that complete commands and options in a shell, made from the commands
 * themselves.
 */
import { Argument, type Command } from "commander";
import { BACKENDS } from "../repops/backends/index.ts";
import { writeLine } from "./output.ts";

/** A command, with what can follow it. */
interface Node {
  /** The words that lead to it, without `verde`: `task post`. */
  path: string;
  description: string;
  /** Also the values of an argument that has only a few. */
  commands: { name: string; description: string }[];
  options: { names: string[]; description: string; takesValue: boolean }[];
}

/** The values that some options take. Others take files, numbers and names. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  "--backend": [...Object.keys(BACKENDS), "auto"],
  "--detail": ["steps", "operators"],
  "--recompute": ["scalar", "operator"],
  "--progress": ["auto", "off"],
};

/** @param build makes the program with all its commands */
export function register(program: Command, build: () => Promise<Command>): void {
  program
    .command("completion")
    .description("print a script that completes commands and options in your shell")
    .addArgument(new Argument("<shell>", "bash: source <(verde completion bash)").choices(Object.keys(SCRIPTS)))
    .action(async (shell: keyof typeof SCRIPTS) => writeLine(...SCRIPTS[shell](nodesOf(await build())).split("\n")));
}

export function nodesOf(command: Command, words: readonly string[] = []): Node[] {
  const choices = command.registeredArguments.flatMap(({ argChoices, description }) =>
    (argChoices ?? []).map((name) => ({ name, description })),
  );
  const subcommands = command.commands.map((one) => ({ name: one.name(), description: one.description() }));
  const commands = [...subcommands, ...choices];
  const options = command.options
    .filter(({ hidden }) => !hidden)
    .map(({ short, long, description, required, optional }) => ({
      names: [short, long].filter((name) => name !== undefined),
      description,
      takesValue: required || optional,
    }));
  const help = { names: ["-h", "--help"], description: "display help for command", takesValue: false };
  const isRoot = words.length === 0;
  const own: Node = {
    path: words.join(" "),
    description: command.description(),
    commands: isRoot ? [...commands, { name: "help", description: "display help for command" }] : commands,
    options: [...options, help],
  };
  return [own, ...command.commands.flatMap((one) => nodesOf(one, [...words, one.name()]))];
}

const pathPatterns = (nodes: readonly Node[]): string =>
  nodes.flatMap(({ path }) => (path === "" ? [] : [`"${path}"`])).join("|");
const wordsOf = ({ commands, options }: Node): string[] => [
  ...commands.map(({ name }) => name),
  ...options.flatMap(({ names }) => names),
];
const valueOptions = (nodes: readonly Node[]): string[] => [
  ...new Set(nodes.flatMap(({ options }) => options.flatMap(({ names, takesValue }) => (takesValue ? names : [])))),
];
const inSingleQuotes = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const bash = (
  nodes: readonly Node[],
): string => `# Completes verde in bash. Use it with: source <(verde completion bash)
_verde() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} at= words= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${at:+$at }\${COMP_WORDS[i]}" in
      ${pathPatterns(nodes)}) at="\${at:+$at }\${COMP_WORDS[i]}" ;;
    esac
  done
  case "$before" in
${Object.entries(VALUES)
  .map(([name, values]) => `    ${name}) words="${values.join(" ")}" ;;`)
  .join("\n")}
    ${valueOptions(nodes).join("|")}) return ;;
    *)
      case "$at" in
${nodes.map((node) => `        "${node.path}") words="${wordsOf(node).join(" ")}" ;;`).join("\n")}
      esac
      ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _verde verde`;

const zsh = (nodes: readonly Node[]): string => {
  const described = (name: string, description: string): string =>
    inSingleQuotes(`${name.replaceAll(":", "\\:")}:${description}`);
  const list = ({ commands, options }: Node): string =>
    [
      ...commands.map(({ name, description }) => described(name, description)),
      ...options.flatMap(({ names, description }) => names.map((name) => described(name, description))),
    ].join(" ");
  return `#compdef verde
# Completes verde in zsh. Use it with: source <(verde completion zsh)
_verde() {
  local at= word
  local -a choices
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${at:+$at }$word" in
      ${pathPatterns(nodes)}) at="\${at:+$at }$word" ;;
    esac
  done
  case "\${words[CURRENT-1]}" in
${Object.entries(VALUES)
  .map(([name, values]) => `    ${name}) compadd -- ${values.join(" ")}; return ;;`)
  .join("\n")}
    ${valueOptions(nodes).join("|")}) _files; return ;;
  esac
  case "$at" in
${nodes.map((node) => `    "${node.path}") choices=(${list(node)}) ;;`).join("\n")}
  esac
  _describe verde choices
  _files
}
if [ "\${funcstack[1]}" = _verde ]; then _verde "$@"; else compdef _verde verde; fi`;
};

const fish = (nodes: readonly Node[]): string => {
  const at = ({ path }: Node): string => inSingleQuotes(`__verde_at "${path}"`);
  const lines = nodes.flatMap((node) => [
    ...node.commands.map(
      ({ name, description }) => `complete -c verde -n ${at(node)} -a ${name} -d ${inSingleQuotes(description)}`,
    ),
    ...node.options.map(({ names, description, takesValue }) => {
      const flags = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
      const values = names.flatMap((name) => (Object.hasOwn(VALUES, name) ? VALUES[name] : []));
      const value = values.length > 0 ? ` -x -a '${values.join(" ")}'` : takesValue ? " -r" : "";
      return `complete -c verde -n ${at(node)} ${flags.join(" ")}${value} -d ${inSingleQuotes(description)}`;
    }),
  ]);
  return `# Completes verde in fish. Use it with: verde completion fish | source
function __verde_at
  set -l at
  for word in (commandline -opc)[2..-1]
    set -l longer (string join ' ' $at $word)
    if contains -- $longer ${nodes.flatMap(({ path }) => (path === "" ? [] : [`'${path}'`])).join(" ")}
      set at $longer
    end
  end
  test "$at" = "$argv[1]"
end
${lines.join("\n")}`;
};

const SCRIPTS = { bash, zsh, fish } as const;
