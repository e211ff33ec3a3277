import { expect, test } from "vitest";
import { PROGRAMS } from "../../../src/repops/functions/index.ts";
import { interpret } from "../../../src/repops/programs/interpret.ts";
import { compileJavaScript } from "../../../src/repops/programs/javascript.ts";
import { decodeProgram, encodeProgram, outputType } from "../../../src/repops/programs/program.ts";
import { Reader } from "../../../src/encoding/bytes.ts";
import { floats, integers, isVf32 } from "../inputs.ts";

const SEED = 20261120;
const COUNT = 5000;

/** A float near others of about its size: where, for example, a power is neither 0 nor saturated. */
function tame(next: () => number): () => number {
  return () => {
    const x = next();
    return Math.abs(x) > 64 || Math.abs(x) < 2 ** -20 ? 1 : x;
  };
}

for (const [name, program] of Object.entries(PROGRAMS)) {
  test(`${name} is total and canonical, and the same compiled as interpreted`, () => {
    const [real, whole] = [floats(SEED), integers(SEED)];
    const run = compileJavaScript(program);
    const float = outputType(program) === "f";
    for (let i = 0; i < COUNT; i++) {
      const next = i % 2 === 0 ? real : tame(real);
      const args = program.inputs.map((type) => (type === "f" ? next() : whole()));
      const [compiled, interpreted] = [run(...args), interpret(program, args)];
      if (!Object.is(compiled, interpreted) || (float ? !isVf32(compiled) : (compiled | 0) !== compiled))
        expect.unreachable(`seed ${SEED}, inputs ${args}: compiled ${compiled}, interpreted ${interpreted}`);
    }
  });

  test(`${name} survives its encoding`, () => {
    expect(decodeProgram(new Reader(encodeProgram(program), name))).toEqual(program);
  });
}
