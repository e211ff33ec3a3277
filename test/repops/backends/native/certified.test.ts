/** Native code is certified before its first job, and again when the compiler's flags have changed. */
import { expect, test } from "vitest";
import { ensureCertified } from "../../../../src/certify/gate.ts";
import { memoryStore } from "../../../../src/certify/store.ts";
import { native, nativeWith } from "../../../../src/repops/backends/native/backend.ts";
import { nativeBuilds } from "./here.ts";

const [here] = await nativeBuilds();

test.skipIf(!here)("a certificate holds for the compiler, its flags and the processor", async () => {
  const store = memoryStore();
  const said: string[] = [];
  const options = { store, say: (line: string): void => void said.push(line) };
  // A backend that other tests in this process have not certified.
  const fresh = nativeWith({});
  const device = await ensureCertified(fresh, { ...options, own: true });
  expect(said).toEqual([expect.stringMatching(/^certifying native on .* before its first job: 58 vectors$/)]);
  expect(device).toMatchObject({ software: false, driver: { compiler: expect.stringMatching(/^\//) } });
  // Where the certificate is kept, the table's own backend needs no test.
  await ensureCertified(native, options);
  expect(said).toHaveLength(1);
  const other = nativeWith({ flags: ["-O1"] });
  expect((await ensureCertified(other, { ...options, own: true }))?.driver).not.toEqual(device?.driver);
  expect(said).toHaveLength(2);
});
