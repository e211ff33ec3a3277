import { expect, test } from "vitest";
import { checkEngine } from "../../src/errors/engine.ts";

test("an engine that is too old is named, and what to do about it", () => {
  expect(() => checkEngine("20.20.2")).toThrow(/needs Node 24 or newer, and this is Node 20\.20\.2; install Node 24/);
  expect(() => checkEngine("23.11.1")).toThrow(/this is Node 23\.11\.1/);
  for (const version of ["24.0.0", "26.1.0", undefined]) expect(() => checkEngine(version)).not.toThrow();
});
