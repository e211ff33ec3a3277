/**
 * The instructions that may stand in an emitted kernel, and no others. Each one that computes a float is
 * defined to the bit by the PTX ISA: none is fused (`fma`, `mad`), approximate (`.approx`), or flushes
 * subnormals (`.ftz`), and each rounding is named.
 */
const ALLOWED: ReadonlySet<string> = new Set(
  `add.rn.f32 sub.rn.f32 mul.rn.f32 div.rn.f32 sqrt.rn.f32 abs.f32 min.f32 max.f32
   cvt.rmi.f32.f32 cvt.rn.f32.s32 cvt.rn.f32.u32 cvt.rzi.s32.f32 cvt.rzi.u32.f32
   setp.eq.f32 setp.lt.f32 setp.ge.f32 setp.le.f32 selp.f32 mov.f32
   add.s32 sub.s32 mul.lo.s32 div.u32 rem.u32 min.s32 max.s32 min.u32 max.u32 and.b32 or.b32 xor.b32
   shl.b32 shr.u32 shr.s32 shf.l.wrap.b32 shf.r.wrap.b32 lop3.b32 prmt.b32 clz.b32 brev.b32 selp.b32 mov.b32 mov.u32
   setp.eq.s32 setp.ne.s32 setp.lt.s32 setp.ge.s32 setp.lt.u32 setp.gt.u32 setp.ge.u32
   and.pred or.pred not.pred mul.wide.u32 add.s64
   ld.param.u32 ld.param.u64 ld.global.b32 ld.global.b64 ld.global.v4.b32 ld.global.nc.b32 ld.global.nc.v4.b32
   st.global.b32 st.global.v4.b32 ld.shared.b32 ld.shared.v4.b32 st.shared.b32 red.global.or.b32 red.global.add.u32
   vote.sync.ballot.b32 bar.sync bra ret`.split(/\s+/),
);
const WORD = /^(%[prfd]\d+|%tid\.x|%ctaid\.x|-?\d+|0f[0-9A-F]{8}|\$L\d+|s\d+|k\d+|p\d+)$/;
const DIRECTIVE = /^\.(version \d\.\d|target sm_\d+|address_size 64|maxntid \d+, 1, 1|minnctapersm \d+)$/;
const DECLARATION = /^\.(reg \.(pred|b32|f32|b64) %[prfd]<\d+>|shared \.align 16 \.b32 s\d+\[\d+\]);$/;
const ENTRY = /^\.visible \.entry k\d+\((\.param \.u(32|64) p\d+(, )?)*\)$/;

/** What stands in a text and may not, line by line. */
export function foreign(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    if (["", "{", "}"].includes(line) || [DIRECTIVE, DECLARATION, ENTRY, /^\$L\d+:$/].some((form) => form.test(line)))
      return [];
    const [, guard = "%p0", name, operands = ""] = /^(?:@!?(%p\d+) )?(\S+?)(?: (.*))?;$/.exec(line) ?? [];
    if (name === undefined || !ALLOWED.has(name)) return [line];
    const words = operands.replace(/[{}[\],+]/g, " ").split(/\s+/).filter(Boolean); // prettier-ignore
    return [guard, ...words].every((word) => WORD.test(word)) ? [] : [line];
  });
}
