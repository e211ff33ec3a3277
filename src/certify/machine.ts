/** The machine that this code runs on, and the facts of it to which a certificate is bound. */
import { os } from "../encoding/node.ts";
import type { DeviceDescription } from "../repops/backends/backend.ts";

/** The processor, the system, and the version of the engine. */
export interface Machine {
  cpu: string;
  arch: string;
  platform: string;
  engine: string;
}

export function machine(): Machine {
  const { process, navigator } = globalThis as {
    process?: Partial<NodeJS.Process>;
    navigator?: { userAgent?: string };
  };
  if (process?.version === undefined)
    return { cpu: "unknown", arch: "unknown", platform: "browser", engine: navigator?.userAgent ?? "unknown" };
  return { cpu: os.cpus()[0]?.model ?? "unknown", arch: os.arch(), platform: os.platform(), engine: process.version };
}

/** The facts that a certificate is bound to. The processor is among them only where it is the device. */
export function factsOf(
  device: DeviceDescription | undefined,
  { engine, arch: architecture, platform: system }: Machine,
): Record<string, string> {
  const facts: Record<string, string> = { engine, platform: `${system} ${architecture}` };
  if (!device) return facts;
  facts.device = device.name;
  for (const [name, value] of Object.entries(device.driver)) facts[`driver ${name}`] = value;
  return facts;
}
