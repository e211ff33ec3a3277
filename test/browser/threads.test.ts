/**
 * Threads of WebAssembly in a real browser: on a page that is isolated from other origins, and on one that is
 * not.
 */
import { describe, expect, test } from "vitest";
import { hasBrowser, openTab } from "../fixtures/browser.ts";

describe.runIf(hasBrowser("threads in a browser"))("in a browser's tab", () => {
  test("helpers compute the bits of one thread, though the page's own thread may not sleep", async () => {
    const inTab = (await openTab({ isolated: true })).module<typeof import("./threads-in-tab.ts")>(
      "test/browser/threads-in-tab.ts",
    );
    expect(await inTab("comparedThreads")).toEqual({ isolated: true, different: 0, helped: true, fewer: 0 });
  });

  test("a page that shares its process with others has one thread, and the same bits", async () => {
    const inTab = (await openTab()).module<typeof import("./threads-in-tab.ts")>("test/browser/threads-in-tab.ts");
    expect(await inTab("comparedThreads")).toEqual({ isolated: false, different: 0, helped: false, fewer: 0 });
  });
});
