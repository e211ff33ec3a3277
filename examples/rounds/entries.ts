/** Entries of ports by their names and types, for turns with many of them. */
import { stack, type Value } from "@verde-ml/verde/job";
import type { Port } from "@verde-ml/verde/rounds";

export const i32 = (...shape: number[]) => ({ dtype: "i32", shape }) as const;
export const f32 = (...shape: number[]) => ({ dtype: "f32", shape }) as const;
export type Types<Names extends string> = Readonly<Record<Names, ReturnType<typeof i32> | ReturnType<typeof f32>>>;

/** One value for each name. */
export const forEach = <Names extends string, T>(names: readonly Names[], value: (name: Names) => T) =>
  Object.fromEntries(names.map((name) => [name, value(name)])) as Record<Names, T>;

/** The entries of a port with these names and types. */
export const read = <Names extends string>(port: Port, types: Types<Names>) =>
  forEach(Object.keys(types) as Names[], (name) => port.entry(name, types[name]));

/** The same entries of several ports, one after the other along a new first axis. */
export const readAll = <Names extends string>(ports: readonly Port[], types: Types<Names>): Record<Names, Value> =>
  forEach(Object.keys(types) as Names[], (name) => stack(ports.map((port) => port.entry(name, types[name]))));
