/** Runs the SMT checker of the compiler over a file of proofs in `test/smt/`, and reads what it says. */
import { compileAll } from "../compiler.ts";
import { solve } from "./queries.ts";
import { viewed } from "./views.ts";

/** A small change of a contract's text, after which a proof must fail. */
export interface Mistake {
  /** The function of the proofs that has to notice it. */
  proof: string;
  file: string;
  before: string;
  after: string;
}
export interface Proofs {
  /** From the root of the checkout; the contract of the proofs is its last. */
  file: string;
  contract: string;
  /** How often the checker follows a loop, where it follows one. */
  loops?: number;
  mistakes: readonly Mistake[];
}
export interface Target {
  /** File and line. */
  at: string;
  what: string;
  text: string;
  /** Whether no state that the proof allows leads to a violation. Otherwise one does, or the solver can't say. */
  isProved: boolean;
}
interface Place {
  file: string;
  start: number;
  end: number;
}
interface Message {
  severity: string;
  message: string;
  formattedMessage: string;
  sourceLocation?: Place;
  secondarySourceLocations?: Partial<Place>[];
}

const FINDING = /^BMC: (.*?) (happens here|might happen here|check is safe!)/;
const ARITHMETIC = ["underflow", "overflow", "divByZero"];
/** A function that is called from outside, up to its last line. */
const PROOF = /^    function (\w+)\([^{]*\bexternal\b[^]*?^    }$/gm;

/**
 * @param only takes one of the proofs
 * @returns every assertion and every checked operation that the proofs reach, in the order of files and lines
 */
export function targetsOf(proofs: Proofs, only?: string): Target[] {
  const change = (name: string, text: string): string => (name === proofs.file ? alone(text, only) : text);
  return checked(proofs, change, ["assert", ...ARITHMETIC]);
}

/**
 * Proofs hold of nothing if what they require can't be, or if a loop has more rounds than the checker
 * follows.
 * @param only takes one of the proofs
 * @returns the proofs that don't reach their end in any state
 */
export function unreached(proofs: Proofs, only?: string): string[] {
  const names: string[] = [];
  const ended = (name: string, text: string): string => {
    if (name !== proofs.file) return text;
    return alone(text, only)
      .replace(/\bassert\(/g, "require(")
      .replace(PROOF, (body, proof: string) => {
        names.push(proof);
        return `bool constant ${proof}_IS_REACHED = true; ${body.replace(/}$/, `assert(!${proof}_IS_REACHED); }`)}`;
      });
  };
  const targets = checked(proofs, ended, ["assert"]);
  return names.filter((name) => targets.find(({ text }) => text === `assert(!${name}_IS_REACHED)`)?.isProved !== false);
}

/** @returns the assertions of one proof that fail after a mistake, or else the checked operations */
export function failuresOf(proofs: Proofs, mistake: Mistake): Target[] {
  const changed = (name: string, text: string): string => {
    if (name === proofs.file) return alone(text, mistake.proof);
    return name === mistake.file ? planted(text, mistake) : text;
  };
  const failures = (targets: string[]): Target[] => checked(proofs, changed, targets).filter(({ isProved }) => !isProved); // prettier-ignore
  const assertions = failures(["assert"]);
  return assertions.length > 0 ? assertions : failures(ARITHMETIC);
}

/** The text without other proofs. */
const alone = (text: string, only?: string): string =>
  text.replace(PROOF, (body, proof: string) => (only === undefined || proof === only ? body : body.replace(/.*/g, "")));

type Change = (name: string, text: string) => string;

function checked(proofs: Proofs, change: Change, targets: readonly string[]): Target[] {
  const texts = new Map<string, string>();
  const read = (name: string): string => {
    const text = viewed(name, (before) => change(name, before));
    texts.set(name, text);
    return text;
  };
  const settings = {
    evmVersion: "osaka",
    outputSelection: { "*": { "*": [] } },
    modelChecker: {
      contracts: { [proofs.file]: [proofs.contract] },
      engine: "bmc",
      targets,
      solvers: ["smtlib2"],
      showProvedSafe: true,
      showUnproved: true,
      ...(proofs.loops ? { bmcLoopIterations: proofs.loops } : {}),
    },
  };
  const { errors = [] } = compileAll([proofs.file], settings, read, solve) as { errors?: Message[] };
  const wrong = errors.find(({ severity }) => severity === "error");
  if (wrong) throw new Error(wrong.formattedMessage);
  return collected(errors, texts);
}

function planted(text: string, { file, before, after }: Mistake): string {
  if (text.split(before).length !== 2) throw new Error(`${file} has not one "${before}"`);
  return text.replace(before, after);
}

/**
 * The checker also takes each function of a contract for itself, in any state. What it finds there counts only
 * if it is safe: a violation counts if it is in a proof, or on a way that begins in one.
 */
function collected(messages: readonly Message[], texts: ReadonlyMap<string, string>): Target[] {
  const targets = new Map<string, Target & Place>();
  for (const { message, sourceLocation: place, secondarySourceLocations: way = [] } of messages) {
    const finding = FINDING.exec(message);
    if (!finding || !place || isStub(place.file)) continue;
    const [, what, outcome] = finding;
    const isProved = outcome === "check is safe!";
    const isInProof = [place, ...way].some(({ file }) => file !== undefined && isProof(file));
    if (!isProved && !isInProof) continue;
    const key = [place.file, place.start, place.end, what].join();
    if (targets.get(key)?.isProved === false) continue;
    const bytes = Buffer.from(texts.get(place.file)!);
    const line = bytes.subarray(0, place.start).toString().split("\n").length;
    const text = bytes.subarray(place.start, place.end).toString().replace(/\s+/g, " ");
    targets.set(key, { ...place, at: `${place.file}:${line}`, what: shortly(what), text, isProved });
  }
  return [...targets.values()]
    .sort((a, b) => (a.file === b.file ? a.start - b.start || a.end - b.end : a.file < b.file ? -1 : 1))
    .map(({ at, what, text, isProved }) => ({ at, what, text, isProved }));
}

const isStub = (file: string): boolean => file.startsWith("test/smt/stubs/");
const isProof = (file: string): boolean => file.startsWith("test/smt/") && !isStub(file);
const shortly = (what: string): string => /^(Assertion|Underflow|Overflow|Division by zero)/.exec(what)?.[1] ?? what;
