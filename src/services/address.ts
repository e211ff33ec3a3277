/** The addresses on which servers listen. */
import { isIP } from "node:net";
import { BackendError } from "../errors/index.ts";

/** Where a server listens. */
export interface Place {
  host: string;
  /** 0 for any free port. */
  port: number;
}

/** Whether only this machine can reach what listens there. */
export const isLocal = (host: string): boolean =>
  host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));

/** The address of a server, with a slash at its end. */
export const urlAt = (scheme: "http" | "https", { host, port }: Place): string =>
  `${scheme}://${isIP(host) === 6 ? `[${host}]` : host}:${port}/`;

/** The error for a port that could not be opened, from the system's error. */
export function portError({ host, port }: Place, { code, message }: NodeJS.ErrnoException): BackendError {
  const why = code === "EADDRINUSE" ? "it is in use; choose another port, or 0 for any free one" : message;
  return new BackendError("PORT", `port ${port} of ${host} can't be opened: ${why}`, { host, port });
}
