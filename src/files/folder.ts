/** Folders that are made when the first file is written to them. */
import { fs, path as paths } from "../encoding/node.ts";
import { isMissing, unwritable } from "../errors/index.ts";

/**
 * Makes a folder and those above it, one level after the other: below some folders of the system, such as
 * /proc, making all levels at once never ends.
 * @param mode the permissions of what is made
 * @throws {FileError} that names the folder, when it can't be made
 */
export async function makeFolder(folder: string, mode = 0o777): Promise<void> {
  const make = async (level: string, again = true): Promise<void> => {
    try {
      await fs.mkdir(level, { mode });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "EEXIST") return;
      const parent = paths.dirname(level);
      if (!isMissing(cause) || parent === level) throw unwritable(level, cause);
      if (!(await fs.stat(parent).catch(() => undefined))) {
        await make(parent);
        return make(level);
      }
      // Others may have made the folder above in between.
      if (!again) throw unwritable(level, cause);
      await make(level, false);
    }
  };
  await make(paths.resolve(folder));
}
