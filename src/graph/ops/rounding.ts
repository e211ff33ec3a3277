/** Rounding to whole numbers. */
import { ceil as up, round as nearest, trunc as cut } from "../../repops/functions/rounding.ts";
import { unary } from "../elementwise.ts";

/**
 * The greatest integer not above x: f32 [...] → f32 [...]. No gradient flows; PyTorch's is 0.
 * @throws {ShapeError} when x is not f32
 */
export const floor = unary("floor", {
  number: 51,
  forward: ({ a }) => a.floor(),
  gradient: {},
  digests: {
    result: "0x9a2baa1a01fac549e23e1bb3ce8542681aebcaa3cefdd953dbc429cce287af3c",
  },
});

/**
 * The least integer not below x: f32 [...] → f32 [...]. No gradient flows; PyTorch's is 0.
 * @throws {ShapeError} when x is not f32
 */
export const ceil = unary("ceil", {
  number: 52,
  forward: ({ a }) => up(a),
  gradient: {},
  digests: {
    result: "0xf3145815005269263f29f4c68549d73030b571f6d2f01105d2b2cf89bb537e35",
  },
});

/**
 * The nearest integer, of two the even one: f32 [...] → f32 [...]. No gradient flows; PyTorch's is 0.
 * @throws {ShapeError} when x is not f32
 */
export const round = unary("round", {
  number: 53,
  forward: ({ a }) => nearest(a),
  gradient: {},
  digests: {
    result: "0xaca45566e7ab2c487bc5909340cbdec1e711fe22841d6c2713d7d82a91e61ae0",
  },
});

/**
 * x without its fraction: f32 [...] → f32 [...]. No gradient flows; PyTorch's is 0.
 * @throws {ShapeError} when x is not f32
 */
export const trunc = unary("trunc", {
  number: 54,
  forward: ({ a }) => cut(a),
  gradient: {},
  digests: {
    result: "0x17af5ea58f2071b752a630f588eb16843de1e813baefdb2d5ec455e4d6173d53",
  },
});
