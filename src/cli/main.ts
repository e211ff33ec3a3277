/** `verde`: starts the program. Whatever fails from here on has an exit code that is no verdict. */
import { abandon, guard } from "./guard.ts";

guard();
import("./program.ts").then(({ start }) => start()).catch(abandon);
