/** Failures of programs, shapes, graphs and values. */
import { type Evidence, type SubCodes, VerdeError } from "./verde-error.ts";

export const PROGRAM = {
  CONSTANT: {
    when: "A constant is not a canonical vf32 or not a 32-bit integer.",
    remedy: "Take a constant in the range that the message names.",
  },
  TOO_LONG: {
    when: "The program has more inputs, constants or instructions than are allowed.",
    remedy: "Split it into two operators.",
  },
  EMPTY: { when: "The program has no value to return.", remedy: "Add an input, a constant or an instruction." },
  NOT_CANONICAL: {
    when: "A constant is there twice, or a value is never used.",
    remedy: "Build the program with the functions of `expressions.ts`.",
  },
  OPERAND: {
    when: "An instruction has the wrong number of operands, or reads a value that is not before it.",
    remedy: "Build the program with the functions of `expressions.ts`.",
  },
  TYPE: {
    when: "An operand or the output has the wrong type.",
    remedy: "Convert the value, or use another instruction.",
  },
} as const satisfies SubCodes;

/** A key of `PROGRAM`. */
export type ProgramSubCode = keyof typeof PROGRAM;

/** A scalar program is ill-typed, too long, or not in canonical form (spec 3). */
export class ProgramError extends VerdeError<"VERDE_PROGRAM", ProgramSubCode> {
  constructor(subCode: ProgramSubCode, message: string, evidence?: Evidence) {
    super("VERDE_PROGRAM", subCode, message, evidence);
  }
}

export const SHAPE = {
  EXTENTS: {
    when: "A list of extents is not a shape: an extent is not whole, negative, or too large.",
    remedy: "Take whole extents within the limits in the message.",
  },
  COUNT: {
    when: "The number of values is not the number of elements of the shape.",
    remedy: "Give one value for each element.",
  },
  DTYPE: { when: "An operator takes tensors of another type.", remedy: "Convert the tensor, or use another operator." },
  AXIS: {
    when: "An axis does not exist, or axes are not listed once each, or none is listed.",
    remedy: "Count the axes from 0, or from -1 at the end.",
  },
  RANGE: { when: "A slice is outside of its axis.", remedy: "Take a range within the axis." },
  BROADCAST: { when: "Shapes do not broadcast to each other.", remedy: "Make the extents equal, or 1." },
  OPERANDS: {
    when: "The shapes of an operator's operands do not fit together.",
    remedy: "Reshape or transpose an operand to what the message names.",
  },
  RESHAPE: {
    when: "A tensor does not have the number of elements of the new shape.",
    remedy: "Take a shape with the same number of elements.",
  },
  STRIDED: { when: "An operator that reads whole tensors gets a view.", remedy: "Make it dense first." },
  KERNEL: {
    when: "An operator's program, operands and result do not fit together.",
    remedy: "Build operators with the graph builder, or restore the file that holds this one.",
  },
  VIEW: {
    when: "The strides, bounds or fill value of a view are malformed.",
    remedy: "Build views with the graph builder, or restore the file that holds this one.",
  },
  VIEW_BOUNDS: {
    when: "A view reads outside of its tensor.",
    remedy: "Build views with the graph builder, or restore the file that holds this one.",
  },
} as const satisfies SubCodes;

/** A key of `SHAPE`. */
export type ShapeSubCode = keyof typeof SHAPE;

/** The shapes of a view, an operator or a tensor do not fit together (spec 4). */
export class ShapeError extends VerdeError<"VERDE_SHAPE", ShapeSubCode> {
  constructor(subCode: ShapeSubCode, message: string, evidence?: Evidence) {
    super("VERDE_SHAPE", subCode, message, evidence);
  }
}

export const GRAPH = {
  GRADIENT: {
    when: "Something can't be differentiated, is a gradient itself, or has a gradient of another shape.",
    remedy: "Differentiate one f32 scalar; for a tensor, take its mean or sum; wrap gradients in `stopGradient`.",
  },
  MIXED: { when: "One operator has values of two graphs.", remedy: "Build everything with one builder." },
  DUPLICATE: { when: "Two inputs or two outputs have the same name.", remedy: "Rename one of the two." },
  INPUTS: {
    when: "The list of inputs differs from the declared inputs.",
    remedy: "List each declared input once.",
  },
  VIEW: { when: "An output is a view.", remedy: "Make it dense first." },
  DANGLING: {
    when: "An output is a tensor that does not exist.",
    remedy: "Restore the file that holds the graph, or build it again.",
  },
  LABELS: {
    when: "There is not one label for each operator.",
    remedy: "Restore the file that holds the graph, or build it again.",
  },
  TOO_LARGE: { when: "The graph has more operators than are allowed.", remedy: "Make the training step smaller." },
  NOT_CANONICAL: {
    when: "The bytes are a graph, but not in canonical form.",
    remedy: "Encode the graph again.",
  },
  TYPES: {
    when: "Two lists of tensors differ in names, types or shapes.",
    remedy: "Give tensors as the message expects them.",
  },
  SETTING: {
    when: "An operator's setting is outside of its range, or becomes another number in binary32.",
    remedy: "Take a value in the range that the message names.",
  },
  ARGUMENT: {
    when: "An argument of an operator is of another kind than the operator takes, or is missing.",
    remedy: "Pass what the message names, in the order of the operator's parameters.",
  },
} as const satisfies SubCodes;

/** A key of `GRAPH`. */
export type GraphSubCode = keyof typeof GRAPH;

/** A graph is malformed: dangling references, missing outputs, not differentiable (spec 5). */
export class GraphError extends VerdeError<"VERDE_GRAPH", GraphSubCode> {
  constructor(subCode: GraphSubCode, message: string, evidence?: Evidence) {
    super("VERDE_GRAPH", subCode, message, evidence);
  }
}

export const VALUE = {
  NAN: { when: "The data has a NaN.", remedy: "Repair the data." },
  RANGE: {
    when: "The data has an infinity or a magnitude above 2^127.",
    remedy: "Repair the data, or choose to saturate it at 2^127.",
  },
  NOT_CANONICAL: {
    when: "A tensor has a bit pattern that is not a vf32.",
    remedy: "Import the data with `importFloats`.",
  },
  INTEGER: {
    when: "The data of an i32 tensor has a number that is not whole, or does not fit 32 bits.",
    remedy: "Round or scale the data; an i32 holds whole numbers from -2^31 to 2^31 - 1.",
  },
  LABEL: {
    when: "A label of a loss is neither a class nor the label that is ignored.",
    remedy: "Repair the labels of the data, or name the one that does not count with `ignoreIndex`.",
  },
  TYPE: {
    when: "What is given as a tensor, or as its numbers, is something else.",
    remedy: "Make tensors with `tensor` and `intTensor`, from lists of numbers.",
  },
} as const satisfies SubCodes;

/** A key of `VALUE`. */
export type ValueSubCode = keyof typeof VALUE;

/** A value from outside is not a vf32 or an i32: NaN, an infinity, a magnitude above 2^127 (spec 2.3). */
export class ValueError extends VerdeError<"VERDE_VALUE", ValueSubCode> {
  constructor(subCode: ValueSubCode, message: string, evidence?: Evidence) {
    super("VERDE_VALUE", subCode, message, evidence);
  }
}
