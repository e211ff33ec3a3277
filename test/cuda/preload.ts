/**
 * Makes the stand-in work in a process of its own, which is started with `--import` of this file and
 * `VERDE_LIBCUDA`: the kernels run on the interpreter.
 */
import { open } from "./stand-in.ts";

open(process.env.VERDE_LIBCUDA!);
