/** No compiler for AMD's GPUs fuses a product with the sum after it, in any shader of the WebGPU backend. */
import { afterAll, describe, expect, test } from "vitest";
import { partsOf } from "./disassembly.ts";
import { fusingOf, Radv } from "./radv.ts";

/**
 * GCN 5 and RDNA 4, or RDNA 2 and 3 too with VERDE_SWEEP=1. `node test/gpu/fusing.ts` tests more.
 */
const FAMILIES = (["vega10", "gfx1201", "navi21", "navi31"] as const).slice(
  0,
  process.env.VERDE_SWEEP === undefined ? 2 : undefined,
);

const radv = Radv.open();
if (typeof radv === "string") console.log(`skipped: what RADV fuses, since ${radv}`);

describe.runIf(radv instanceof Radv)("compiled by RADV", () => {
  const compiler = radv as Radv;
  afterAll(() => compiler.close());

  test.each(FAMILIES)("for %s, only the planted products are fused", async (family) => {
    const parts = await compiler.compile(family);
    const { shaders, products, sums, found, planted } = fusingOf(family, parts);
    console.log(`${family}: ${shaders} shaders, ${products} products, ${sums} sums`);
    expect(found).toEqual([]);
    for (const part of ["GPT: step", "GPT: init"]) expect(parts.map(({ name }) => name)).toContain(part);
    expect(shaders).toBeGreaterThan(100);
    expect(products).toBeGreaterThan(1000);
    expect(sums).toBeGreaterThan(1000);
    // An invocation has 4x4 outputs or more.
    expect(planted["tiled product"].length).toBeGreaterThanOrEqual(16);
    expect(planted["loop"].length).toBeGreaterThanOrEqual(1);
  });
});

describe("the search", () => {
  const search = (...lines: string[]) => partsOf(`@@ a\n${[...lines, "s_endpgm"].join("\n")}\n`)[0];

  test("sees every form of a fused float operation", () => {
    for (const instruction of [
      "v_fma_f32 v0, v1, v2, v3",
      "v_fmac_f32_e32 v3, v1, v2",
      "v1: %21:v[3] = v_fmac_f32 %13:v[1], %16:v[2], %20:v[3]",
      "v_fmamk_f32 v3, v3, 0x47800000, v22",
      "v_fmaak_f32 v3, v3, v22, 0x47800000",
      "v_mac_f32_e32 v3, v1, v2",
      "v_mad_f32 v0, v1, v2, v3",
      "v_madmk_f32 v0, v1, 0x3f000000, v2",
      "v_mad_legacy_f32 v0, v1, v2, v3",
      "v_pk_fma_f32 v[0:1], v[2:3], v[4:5], v[6:7]",
      "v_dual_mul_f32 v1, v2, v3 :: v_dual_fmac_f32 v4, v5, v6",
      "v_fma_mix_f32 v0, v1, v2, v3",
      "v_mad_mixlo_f16 v0, v1, v2, v3",
      "v_fma_f64 v[0:1], v[2:3], v[4:5], v[6:7]",
      "v_div_fmas_f32 v0, v1, v2, v3",
      "v_dot2_f32_f16 v0, v1, v2, v3",
      "v_dot2c_f32_f16_e32 v0, v1, v2",
      "v_mfma_f32_32x32x1f32 a[0:31], v0, v1, a[0:31]",
      "v_wmma_f32_16x16x16_f16 v[0:7], v[8:15], v[16:23], v[0:7]",
      "s_fmac_f32 s0, s1, s2",
    ])
      expect(search(instruction).fused, instruction).toHaveLength(1);
  });

  test("leaves integers, single products and single sums alone", () => {
    const part = search(
      "v_mad_u32_u24 v0, v1, v2, v3",
      "v_mad_u64_u32 v[0:1], s0, v1, v2, v[3:4]",
      "v_dot4_i32_i8 v0, v1, v2, v3",
      "v_mul_f32_e32 v0, v1, v2",
      "v_dual_mul_f32 v1, v2, v3 :: v_dual_add_f32 v4, v5, v6",
      "v_sub_f32_e32 v0, v1, v2",
      "v_pk_mul_f32 v[0:1], v[2:3], v[4:5]",
      "v_lshl_add_u32 v0, s0, 6, v0",
      "v_max_f32_e32 v0, v1, v2",
    );
    expect(part).toEqual({ name: "a", shaders: 1, products: 3, sums: 2, fused: [] });
  });

  test("counts by part, and misses no shader without instructions", () => {
    const text = "@@ a\nv_mul_f32 v0\ns_endpgm\n\n@@ b\ns_endpgm\n\n@@ a\nv_fma_f32 v0\ns_endpgm\n";
    expect(partsOf(text).map(({ name, shaders, fused }) => [name, shaders, fused.length])).toEqual([
      ["a", 2, 1],
      ["b", 1, 0],
    ]);
    expect(() => partsOf("@@ a\n@@ b\ns_endpgm\n")).toThrow(/instructions are missing/);
  });
});
