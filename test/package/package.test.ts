/** What a dependent gets: the package is packed, installed in an empty project, and used there in every way it offers. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build, createLogger } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasBrowser, openPage } from "../fixtures/browser.ts";
import { CHECKOUT, ENTRIES, Project } from "./project.ts";
import { allSnippets } from "./snippets.ts";

// Compilers, bundlers and whole runs, on machines that have other work to do.

let project: Project;
beforeAll(async () => {
  project = await Project.install();
});
afterAll(() => project?.remove());

const snippets = allSnippets(CHECKOUT);
const JOB = "jobs/sine.ts";
/** The job that the README has newcomers write, which is the one that this project runs. */
const readmeJob = snippets.find(({ file }) => file === "README/sine.ts")!;

/** Settings that make this process another engine for a module that asks. */
const OLD_NODE = `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.20.2"}})`;

function expectSuccess({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }): string {
  expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: "" });
  return stdout;
}

describe("the archive", () => {
  test("has what its entries serve, and nothing of the checkout's own business", () => {
    const folders = new Set(project.packed.map((path) => path.split("/")[0]));
    expect([...folders].sort()).toEqual(
      [
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "bin",
        "dist",
        "docs",
        "examples",
        "package.json",
        "SECURITY.md",
        "src",
      ].sort(),
    );
    for (const path of ["dist/src/web/page/index.html", "dist/src/web/page/style.css", "dist/examples/data/verde.txt"])
      expect(project.packed).toContain(path);
  });
});

describe("types", () => {
  const entries = ENTRIES.map((name, i) => `import * as e${i} from "${name}";\nexport { e${i} };\n`).join("");

  test("of every entry, and the code of every document, have no errors for a strict compiler", async () => {
    expect(snippets.length).toBeGreaterThan(4);
    project.write("entries.ts", entries);
    for (const { file, code } of snippets) project.write(file, code);
    expect(await project.check(["entries.ts", ...snippets.map(({ file }) => file)])).toBe("");
  });

  test("have no errors for the compiler before, which is not native", async () => {
    // The types of what talks to chains are most of the work, and are another package's.
    const light = ENTRIES.filter((name) => !name.endsWith("/settlement"));
    project.write("light.ts", light.map((name, i) => `export * as e${i} from "${name}";\n`).join(""));
    expect(await project.check(["light.ts"], "tools/api-docs/node_modules/typescript/bin/tsc")).toBe("");
  });

  test("know the options and the data of a job", async () => {
    project.write(
      "wrong.ts",
      readmeJob.code.replace("{ hidden, batch }", "{ hiden, batch }").replace("job.data,", "job.date,"),
    );
    const said = await project.check(["wrong.ts"]);
    expect(said).toContain("Property 'hiden' does not exist");
    expect(said).toContain("Property 'date' does not exist");
  });
});

describe("in Node", () => {
  // In one folder, in the order of the documents: a later block reads what an earlier one has written.
  test("every block of code of every document runs as it stands there", async () => {
    for (const { file, code } of snippets) {
      project.write(file, code);
      expectSuccess(await project.node(file));
    }
    // Other tests write traces of these names.
    for (const name of ["a", "b"])
      for (const ending of ["trace", "data"])
        rmSync(project.path(`${name}.${ending}`), { recursive: true, force: true });
  });

  test("every entry can be imported", async () => {
    project.write("every.js", ENTRIES.map((name) => `import "${name}";\n`).join(""));
    expectSuccess(await project.node("every.js"));
  });

  test("an operator runs on arrays", async () => {
    project.write(
      "evaluate.ts",
      `import { evaluate, matmul, tensor } from "@verde-ml/verde/graph";
       const y = await evaluate(({ a, b }) => matmul(a, b), { a: tensor([1, 2], [1, 2]), b: tensor([2, 1], [3, 4]) });
       console.log(y.data[0]);`,
    );
    expect(expectSuccess(await project.node("evaluate.ts"))).toBe("11\n");
  });

  test("an older Node is told what is needed, by the command and by every entry", async () => {
    const command = join("node_modules/@verde-ml/verde/bin/verde.js");
    expect(await project.node("--import", OLD_NODE, command, "--version")).toMatchObject({
      code: 3,
      stdout: "",
      stderr: "verde: this needs Node 24 or newer, and this is Node 20.20.2; install Node 24 and start again\n",
    });
    for (const name of ENTRIES) {
      const { code, stderr } = await project.node(
        "--import",
        OLD_NODE,
        "--input-type=module",
        "-e",
        `import "${name}";`,
      );
      expect({ name, code }).toEqual({ name, code: 1 });
      expect(stderr).toContain("Verde needs Node 24 or newer, and this is Node 20.20.2");
    }
  });
});

describe("the command", () => {
  test("says its version", async () => {
    expect(expectSuccess(await project.verde("--version"))).toMatch(/^verde \d+\.\d+\.\d+\n  specification +\d+\n/);
  });

  test("runs, disputes and checks a job of the project", async () => {
    project.write(JOB, readmeJob.code);
    expectSuccess(await project.verde("run", JOB, "--steps", "20", "--out", "a.trace"));
    const fault = ["--fault", "flip:step=7,operator=12,element=0,bit=9"];
    expectSuccess(await project.verde("run", JOB, "--steps", "20", "--out", "b.trace", ...fault));
    const { code, stdout, stderr } = await project.verde(
      "dispute",
      "a.trace",
      "b.trace",
      "--verdict",
      "v.json",
      "--json",
    );
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ outcome: "divergence", losers: ["b"] });
    const roots = ["a.trace", "b.trace"].map(async (trace) => {
      const told = JSON.parse(expectSuccess(await project.verde("inspect", trace, "--json"))) as { claim: string };
      return told.claim;
    });
    const [a, b] = await Promise.all(roots);
    expectSuccess(await project.verde("check", "v.json", "--a", a, "--b", b));
  });

  test.runIf(hasBrowser("the page that the package serves"))(
    "serves its page, whose worker reads a trace",
    async () => {
      expectSuccess(await project.verde("run", JOB, "--steps", "3", "--out", "page.trace"));
      const server = await project.serve("page.trace");
      try {
        const tab = await openPage();
        await tab.goto(server.url);
        await expect.poll(() => tab.locator("#facts-title").textContent(), { timeout: 60_000 }).toContain("sine");
      } finally {
        server.close();
      }
    },
  );

  test("has the data of its demo", async () => {
    expect(expectSuccess(await project.verde("demo", "--steps", "3"))).toContain("The referee compares the two");
  });
});

describe("in a browser", () => {
  const here = hasBrowser("training in a bundle");
  const page = `import { run, toHex } from "@verde-ml/verde";
    import job from "../${JOB}";
    const { runRoot } = await run(await job.close({ steps: 20 }));
    document.title = toHex(runRoot);`;

  /** What the bundler had to say beside its progress. */
  async function bundle(root: string, input: string): Promise<string[]> {
    const warnings: string[] = [];
    const customLogger = createLogger("warn");
    customLogger.warn = customLogger.warnOnce = customLogger.error = (message) => void warnings.push(message);
    const options = { target: "es2024", rolldownOptions: { input }, chunkSizeWarningLimit: 2_000 };
    await build({
      root,
      configFile: false,
      customLogger,
      build: { ...options, outDir: join(root, "dist"), emptyOutDir: true },
    });
    return warnings;
  }

  function chunks(root: string): Map<string, string> {
    const folder = join(root, "dist/assets");
    return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]));
  }

  test("a bundle of every entry has no module of Node", async () => {
    const root = project.path("entries");
    const text = ENTRIES.map((name, i) => `import * as e${i} from "${name}";\nconsole.log(e${i});\n`).join("");
    project.write("entries/main.ts", text);
    expect(await bundle(root, join(root, "main.ts"))).toEqual([]);
    for (const [name, code] of chunks(root))
      expect({ name, found: /(from|import)\s*\(?["'`]node:|__vite-browser-external/.exec(code)?.[0] }).toEqual({
        name,
      });
  });

  test.runIf(here)("a bundled page trains to the root that Node has", async () => {
    const root = project.path("page");
    project.write(JOB, readmeJob.code);
    project.write("page/main.ts", page);
    project.write("page/index.html", '<!doctype html><title>-</title><script type="module" src="./main.ts"></script>');
    expect(await bundle(root, join(root, "index.html"))).toEqual([]);
    const built = chunks(root);
    const told = JSON.parse(
      expectSuccess(await project.verde("run", JOB, "--steps", "20", "--json"))
        .trim()
        .split("\n")
        .at(-1)!,
    ) as { runRoot: string };

    const tab = await openPage();
    const problems: string[] = [];
    const loaded = new Set<string>();
    tab.on("pageerror", ({ message }) => problems.push(message));
    await tab.route("http://verde.test/**", (route) => {
      const name = new URL(route.request().url()).pathname.split("/").at(-1)!;
      loaded.add(name);
      const body = built.get(name) ?? readFileSync(join(root, "dist/index.html"), "utf8");
      return route.fulfill({ contentType: built.has(name) ? "text/javascript" : "text/html", body });
    });
    await tab.goto("http://verde.test/");
    await expect.poll(() => [...problems, tab.title()][0], { timeout: 60_000 }).toMatch(/^0x/);
    expect(await tab.title()).toBe(told.runRoot);
    // Other backends, and the vectors of certificates, are there and are not loaded.
    expect([...built.keys()].filter((name) => !loaded.has(name)).length).toBeGreaterThan(4);
    const bytes = [...loaded].reduce((sum, name) => sum + (built.get(name)?.length ?? 0), 0);
    expect(bytes).toBeLessThan(345_000);
  });
});
