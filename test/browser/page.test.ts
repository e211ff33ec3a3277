/** The page of `verde serve` in a real browser, as somebody uses it: served and dropped traces, right and wrong ones. */
import { copyFileSync, cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { loadJob } from "../../src/job/index.ts";
import { moduleAssets } from "../../src/web/modules.ts";
import { startServer } from "../../src/web/server.ts";
import { traceFiles } from "../../src/services/trace-files.ts";
import { openTrace, parseFault, run } from "../../src/trace/index.ts";
import { closeLater, hasBrowser, openPage } from "../fixtures/browser.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { regression } from "../fixtures/regression.ts";

const STEPS = 12;
/** Enough to be interrupted. */
const LONG = 2000;
const TINY = { steps: STEPS, layers: 1, dim: 16, heads: 2, context: 16, batch: 2 };
const FAULT = "flip:step=7,operator=6,element=1,bit=12";
const FAULTY_OPERATOR = "gradient (operator 6)";

async function serve(trace?: string): Promise<string> {
  const files = trace === undefined ? {} : { trace: await traceFiles(trace) };
  return closeLater(await startServer({ host: "127.0.0.1", port: 0, assets: moduleAssets(), ...files })).url;
}

/** A page on which nothing may go wrong unseen. */
async function visit(url: string): Promise<Page> {
  const page = await openPage();
  page.on("pageerror", (error) => expect.unreachable(`the page threw ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") expect.unreachable(`the page logged ${message.text()}`);
  });
  await page.goto(url);
  await page.waitForSelector(".device", { state: "attached" });
  return page;
}

async function check(page: Page, backend: string, range?: [number, number]): Promise<string> {
  await page.waitForSelector("#check:not([hidden])");
  await page.check(`[value="${backend}"]`);
  if (range) for (const [i, id] of ["#from", "#to"].entries()) await page.fill(id, String(range[i]));
  await page.click("#start");
  await page.waitForSelector("#running", { state: "hidden" });
  return (await page.textContent("#sentence"))!.replace(/\s+/g, " ").trim();
}

/** The rows of the ledger: the step, its mark, and its roots. */
const ledger = (page: Page): Promise<{ step: string; mark: string; roots: string[] }[]> =>
  page.$$eval("#rows tr", (rows) =>
    rows.map((row) => ({
      step: row.firstElementChild?.textContent ?? "",
      mark: row.querySelector(".mark")?.textContent ?? "",
      roots: [...row.querySelectorAll(".long")].map((root) => root.textContent ?? ""),
    })),
  );

/** As the operating system drops files and folders. */
async function drop(page: Page, ...files: string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const)
    await session.send("Input.dispatchDragEvent", { type, x: 200, y: 160, data });
}

describe.runIf(hasBrowser("the page of verde serve"))("the page", () => {
  const path = temporaryFolder();
  let roots: string[];
  let urls: Record<"honest" | "faulty" | "long" | "none", string>;
  beforeAll(async () => {
    const job = await loadJob("examples/char-gpt.ts", TINY);
    const { segmentRoots } = await run(job, { checkpointEvery: 4, out: path("honest.trace") });
    // A job of a few kernels, which a GPU in software prepares quickly.
    const small = regression({ steps: STEPS });
    await run(small, { checkpointEvery: 4, out: path("right.trace") });
    await run(small, { checkpointEvery: 4, detail: "operators", fault: parseFault(FAULT), out: path("faulty.trace") });
    roots = segmentRoots.map(toHex);
    await run(regression({ steps: LONG }), { out: path("long.trace") });
    urls = {
      long: await serve(path("long.trace")),
      honest: await serve(path("honest.trace")),
      faulty: await serve(path("faulty.trace")),
      none: await serve(),
    };
  });

  test("shows what the trace says before anything is executed", async () => {
    const page = await visit(urls.honest);
    await page.waitForSelector("#facts:not([hidden])");
    const facts = await page.innerText("#facts");
    for (const part of ["char-gpt", "12", "parameters", "after step 0, 4, 8, 12", roots[STEPS]])
      expect(facts).toContain(part);
    expect(facts).toContain(toHex((await openTrace(path("honest.trace"))).runRoot!));
    expect((await page.getAttribute("#plot-line", "points"))?.split(" ").length).toBe(STEPS);
    expect(await page.title()).toBe("honest.trace · Verde");
  });

  for (const backend of ["wasm", "webgpu"]) {
    test(`finds every root of an honest trace right, on ${backend}`, async () => {
      const page = await visit(urls.honest);
      const sentence = await check(page, backend);
      expect(sentence).toMatch(/^The whole run matches the trace\. .* and all 13 roots match\.$/);
      expect(sentence).toContain(backend === "wasm" ? "on WebAssembly," : "on WebGPU (");
      expect(await ledger(page)).toEqual(roots.map((root, i) => ({ step: String(i), mark: "✓", roots: [root] })));
      expect(await page.getAttribute("#sentence", "data-tone")).toBe("good");
    });

    test(`names the step and the operator of a fault, on ${backend}`, async () => {
      const page = await visit(urls.faulty);
      const sentence = await check(page, backend);
      expect(await page.innerText("#notice")).toContain(`made with the fault ${FAULT}`);
      const traces = [await openTrace(path("faulty.trace")), await openTrace(path("right.trace"))];
      expect(sentence).toMatch(/^The trace is wrong at training step 7\. Training step 7 is the first that differs/);
      expect(sentence).toContain(`The first operator that differs is ${FAULTY_OPERATOR} of training step 7.`);
      const rows = await ledger(page);
      expect(rows.map(({ mark }) => mark).join("")).toBe("✓✓✓✓✓✓✓✗");
      expect(rows[7].roots).toEqual(await Promise.all(traces.map(async (trace) => toHex((await trace.rootOf(7))!))));
      expect(await page.getAttribute("#plot-wrong", "visibility")).toBe("visible");
    });
  }

  test("executes a range from the checkpoint before it", async () => {
    const page = await visit(urls.honest);
    const sentence = await check(page, "wasm", [7, 9]);
    expect(sentence).toContain("The trace is right about training steps 5 to 9.");
    expect(sentence).toContain(
      "from the state that the trace commits to after training step 4, and all 5 roots match.",
    );
    expect((await ledger(page)).map(({ step }) => step)).toEqual(["5", "6", "7", "8", "9"]);
    // After the fault, the steps follow from each other.
    expect(await check(await visit(urls.faulty), "wasm", [9, 12])).toContain("right about training steps 9 to 12");
  });

  test("takes a trace and its folder that are dropped, with nothing sent to the server", async () => {
    const page = await visit(urls.none);
    expect(await page.isVisible("#check")).toBe(false);
    const sent: string[] = [];
    page.on("request", (request) => {
      const { protocol, pathname } = new URL(request.url());
      // Threads start from a text that the page has.
      if (protocol !== "blob:") sent.push(`${request.method()} ${pathname}`);
    });
    await drop(page, path("honest.trace"), path("honest.data"));
    expect(await check(page, "wasm")).toContain("The whole run matches the trace.");
    expect(sent.filter((request) => !/^GET \/(src|node_modules)\//.test(request))).toEqual([]);
    expect(await page.innerText("#input-name")).toBe("honest.trace");
  });

  test("takes the trace first and its folder after it", async () => {
    const page = await visit(urls.none);
    await page.setInputFiles("#choose-files", path("honest.trace"));
    await page.waitForSelector("#notice:not([hidden])");
    expect(await page.innerText("#notice")).toContain("honest.data/dataset.safetensors is needed");
    expect(await page.isDisabled("#start")).toBe(true);
    await page.setInputFiles("#choose-folder", path("honest.data"));
    await page.waitForSelector("#notice", { state: "hidden" });
    expect(await check(page, "wasm", [12, 12])).toContain("The trace is right about training steps 9 to 12.");
  });

  test("says what is wrong with other files", async () => {
    const page = await visit(urls.none);
    const problem = async (...files: string[]): Promise<string> => {
      await drop(page, ...files);
      await page.waitForSelector("#problem:not([hidden])");
      const text = await page.innerText("#problem");
      await page.evaluate("document.querySelector('#problem').hidden = true");
      return text;
    };
    writeFileSync(path("foreign.trace"), "something else");
    expect(await problem(path("foreign.trace"))).toContain("foreign.trace is not a Verde trace");
    writeFileSync(path("cut.trace"), readFileSync(path("honest.trace")).subarray(0, 2000));
    expect(await problem(path("cut.trace"))).toContain("cut.trace is cut before its manifest ends");
    const altered = readFileSync(path("honest.trace"));
    altered[altered.length - 200] ^= 1;
    writeFileSync(path("altered.trace"), altered);
    expect(await problem(path("altered.trace"))).toMatch(
      /altered\.trace, record 1\d at byte \d+: its hash does not match/,
    );
    expect(await problem(path("honest.trace"), path("faulty.trace"))).toContain("2 files could be the trace");
    expect(await page.isVisible("#check")).toBe(false);
  });

  test("checks a cut trace as far as it goes", async () => {
    const { offset } = await (await openTrace(path("honest.trace"))).tailOf(6);
    writeFileSync(path("part.trace"), readFileSync(path("honest.trace")).subarray(0, offset + 9));
    cpSync(path("honest.data"), path("part.data"), { recursive: true });
    const page = await visit(await serve(path("part.trace")));
    await page.waitForSelector("#notice:not([hidden])");
    expect(await page.innerText("#notice")).toContain("part.trace is cut: after step 6 of 12 no whole record follows");
    expect(await page.inputValue("#to")).toBe("6");
    expect(await check(page, "wasm")).toContain("The trace is right about training steps 0 to 6.");
  });

  test("says which checkpoint can't be used", async () => {
    copyFileSync(path("honest.trace"), path("swapped.trace"));
    cpSync(path("honest.data"), path("swapped.data"), { recursive: true });
    const checkpoint = (step: number): string => path(`swapped.data/step-0000000${step}.safetensors`);
    copyFileSync(checkpoint(4), checkpoint(8));
    const page = await visit(await serve(path("swapped.trace")));
    expect(await check(page, "wasm", [9, 12])).toMatch(
      /^The check failed\. swapped\.data\/step-00000008\.safetensors is not the state after step 8/,
    );
    rmSync(checkpoint(8));
    // Gone since the page listed it.
    expect(await check(page, "wasm", [9, 12])).toContain(
      "the server has no /trace/data/step-00000008.safetensors (404)",
    );
  });

  test("can be cancelled, and goes on afterwards", async () => {
    const page = await visit(urls.long);
    await page.waitForSelector("#check:not([hidden])");
    await page.check('[value="wasm"]');
    // In the page, since on a busy machine the check could be over before this process hears of its first row.
    await page.evaluate(`new MutationObserver((_, observer) => {
      observer.disconnect();
      window.focused = document.activeElement.id;
      document.activeElement.click();
    }).observe(document.getElementById("rows"), { childList: true })`);
    await page.click("#start");
    await page.waitForSelector("#rows tr");
    await page.waitForSelector("#running", { state: "hidden" });
    expect(await page.evaluate("window.focused")).toBe("cancel");
    expect(await page.innerText("#sentence")).toMatch(/^Cancelled\.\s+The check had reached training step \d+; /);
    const steps = (await ledger(page)).length;
    expect(steps).toBeLessThan(LONG);
    expect(await check(page, "wasm", [LONG - 9, LONG])).toContain("roots match.");
  });

  test("says why there is no WebGPU, and does without", async () => {
    const page = await openPage();
    await page.addInitScript("Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined })");
    await page.goto(urls.honest);
    await page.waitForSelector(".device");
    expect(await page.isDisabled('[value="webgpu"]')).toBe(true);
    expect(await page.innerText("#devices")).toContain("Not available: this browser has no WebGPU");
    expect(await check(page, "wasm")).toContain("all 13 roots match");
  });

  test("says that the server is gone", async () => {
    const options = { host: "127.0.0.1", port: 0, assets: moduleAssets() };
    const server = await startServer({ ...options, trace: await traceFiles(path("honest.trace")) });
    const bare = await startServer(options);
    const [page, other] = [await openPage(), await openPage()];
    await page.goto(server.url);
    await page.waitForSelector("#check:not([hidden])");
    await other.goto(bare.url);
    await other.waitForSelector(".device", { state: "attached" });
    await Promise.all([server.close(), bare.close()]);
    expect(await check(page, "wasm")).toContain("the server does not answer; is `verde serve` still running?");
    await drop(other, path("honest.trace"));
    await other.waitForSelector("#problem:not([hidden])");
    expect(await other.innerText("#problem")).toContain("the worker could not be loaded");
  });

  test("lists the last of many steps, and counts the others", async () => {
    const page = await visit(urls.long);
    expect(await check(page, "wasm")).toContain(`all ${(LONG + 1).toLocaleString("en-US")} roots match.`);
    expect((await ledger(page)).at(-1)).toMatchObject({ step: String(LONG), mark: "✓" });
    expect(await page.innerText("#earlier")).toBe(
      `${(LONG - 399).toLocaleString("en-US")} earlier steps agree and are not listed.`,
    );
  });

  test("tells of a device that is lost, and can go on", async () => {
    const page = await visit(urls.long);
    await page.waitForSelector("#check:not([hidden])");
    await page.check('[value="webgpu"]');
    await page.click("#start");
    await page.waitForSelector("#rows tr");
    const session = await page.context().browser()!.newBrowserCDPSession();
    // The process that answers is the one that ends.
    await session.send("Browser.crashGpuProcess").catch(() => undefined);
    await page.waitForSelector("#running", { state: "hidden" });
    expect(await page.innerText("#sentence")).toMatch(/^The check failed\.\s+.*lost.*\(VERDE_BACKEND_DEVICE_LOST\)$/);
    expect(await check(page, "wasm", [LONG - 9, LONG])).toContain("roots match.");
  });
});
