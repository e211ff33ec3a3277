/** How much a folder holds. */
import { fs, path } from "../encoding/node.ts";
import { isMissing } from "../errors/index.ts";

/** The bytes of the files in a folder and in those below it. 0 if there is none. */
export async function bytesIn(folder: string): Promise<number> {
  const entries = await fs.readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  let sum = 0;
  for (const entry of entries) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) sum += await bytesIn(at);
    else if (entry.isFile()) sum += (await fs.stat(at).catch(() => undefined))?.size ?? 0;
  }
  return sum;
}
