"""Records what PyTorch computes, as vectors for test/graph/ops/torch.test.ts.

Each file beside this one lists cases of one area and writes test/vectors/torch/AREA.json. PyTorch computes in
float64, on inputs that are exact in binary32. So the vectors hold the true values, and the test states how far
an operator may be from them.

    python3 scripts/torch-vectors/nn.py          # writes test/vectors/torch/nn.json

A case has:
- operator: the name of an export of src/graph/index.ts
- args: its arguments; "$0" is input 0, also inside of lists and options; all else stands for itself
- inputs: {"shape", "seed", "from", "to"} for uniform floats (from -1 to 1 by default),
  {"shape", "floats"}, {"shape", "ints"}
- outputs: {"shape", "floats"} or {"shape", "ints"} for each result of the operator, in order
- gradients: for each input the gradient of the sum of outputs times weights; null where none flows. The
  weights of output i are uniform floats of the seed 9000 + i
- tolerance: the largest error, relative to the largest magnitude of the wanted tensor; 1e-5 by default.
  Integers have to be equal
"""

import json
import math
import os

import torch

torch.set_default_dtype(torch.float64)
FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "test", "vectors", "torch")


def generator(seed):
    """mulberry32, the generator of test/graph/numeric.ts."""
    state = seed & 0xFFFFFFFF

    def imul(a, b):
        return (a * b) & 0xFFFFFFFF

    def draw():
        nonlocal state
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        t = imul(state ^ (state >> 15), 1 | state)
        t = ((t + imul(t ^ (t >> 7), 61 | t)) & 0xFFFFFFFF) ^ t
        return ((t ^ (t >> 14)) & 0xFFFFFFFF) / 2**32

    return draw


def rounded(values):
    """The nearest binary32 numbers, as float64."""
    return torch.tensor(values, dtype=torch.float64).to(torch.float32).to(torch.float64)


def uniform(shape, seed, low=-1.0, high=1.0):
    draw = generator(seed)
    return rounded([low + (high - low) * draw() for _ in range(math.prod(shape))]).reshape(shape)


def floats(*shape, seed=None, low=-1, high=1):
    """An input of random floats; without a seed it gets one of its own."""
    return {"shape": list(shape), "seed": seed, "from": low, "to": high}


def given(shape, values):
    return {"shape": list(shape), "floats": values}


def ints(shape, values):
    return {"shape": list(shape), "ints": values}


def tensor_of(spec):
    if "ints" in spec:
        return torch.tensor(spec["ints"], dtype=torch.int64).reshape(spec["shape"])
    if "floats" in spec:
        made = rounded(spec["floats"]).reshape(spec["shape"])
    else:
        made = uniform(spec["shape"], spec["seed"], spec["from"], spec["to"])
    return made.clone().requires_grad_(True)


def number(x):
    """Eight digits: more than a tolerance asks for."""
    text = f"{x:.8g}"
    return int(text) if text.lstrip("-").isdigit() else float(text)


def written(t):
    values = t.detach().reshape(-1).tolist()
    shape = list(t.shape)
    if t.dtype in (torch.int64, torch.int32, torch.bool):
        return {"shape": shape, "ints": [int(v) for v in values]}
    return {"shape": shape, "floats": [number(v) for v in values]}


class Cases:
    """The cases of one area."""

    def __init__(self, area):
        self.area = area
        self.cases = []

    def add(self, operator, args, inputs, compute, title="", tolerance=None):
        """
        args: as the case has them; compute(*inputs): the result as PyTorch gives it, or a list of results.
        """
        for i, spec in enumerate(inputs):
            if spec.get("seed", 0) is None:
                spec["seed"] = 100 * (len(self.cases) + 1) + i
        tensors = [tensor_of(spec) for spec in inputs]
        result = compute(*tensors)
        outputs = list(result) if isinstance(result, (list, tuple)) else [result]
        loss = torch.zeros(())
        for i, y in enumerate(outputs):
            if y.dtype.is_floating_point and y.requires_grad:
                loss = loss + (y * uniform(list(y.shape), 9000 + i)).sum()
        if loss.requires_grad:
            loss.backward()
        case = {"operator": operator}
        if title:
            case["title"] = title
        case["args"] = args
        case["inputs"] = inputs
        case["outputs"] = [written(y) for y in outputs]
        case["gradients"] = [None if t.grad is None else written(t.grad)["floats"] for t in tensors]
        if tolerance is not None:
            case["tolerance"] = tolerance
        self.cases.append(case)

    def write(self):
        path = os.path.join(FOLDER, f"{self.area}.json")
        head = f'{{"torch": "{torch.__version__}", "cases": [\n'
        lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in self.cases)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"{head}{lines}\n]}}\n")
        print(f"{len(self.cases)} cases, {os.path.getsize(path)} bytes: {os.path.relpath(path)}")
