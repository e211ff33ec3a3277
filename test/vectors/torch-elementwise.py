"""Values and gradients of element-wise operators in PyTorch, in double precision.

    python3 test/vectors/torch-elementwise.py > test/vectors/torch-elementwise.json

The operands are binary32 numbers; the integers' results are exact.
"""
import json

import torch
import torch.nn.functional as F

torch.manual_seed(20261120)


def single(values):
    return torch.tensor(values, dtype=torch.float32).double()


EDGES = [0.0, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 1.0, -1.0, 3.0, -3.0, 3.5, -3.5, 1e-6, -1e-6, 12.0, -12.0, 30.0, -30.0, 1e-30]
ANY = torch.cat([single(EDGES), (torch.randn(20) * 3).double()])
POSITIVE = torch.cat([single([1e-30, 1.0, 0.25, 2.0, 1e30]), torch.rand(20).double() * 5 + 0.01])
SMALL = (torch.rand(16).double() - 0.5).float().double()

UNARY = {
    "sin": (torch.sin, ANY * 1000),
    "cos": (torch.cos, ANY * 1000),
    "tanh": (torch.tanh, ANY),
    "sigmoid": (torch.sigmoid, ANY),
    "silu": (F.silu, ANY),
    "gelu": (F.gelu, ANY),
    "geluTanh": (lambda x: F.gelu(x, approximate="tanh"), ANY),
    "softplus": (F.softplus, ANY),
    "softplus 2": (lambda x: F.softplus(x, beta=2, threshold=1000), ANY),
    "elu": (F.elu, ANY),
    "elu 0.5": (lambda x: F.elu(x, alpha=0.5), ANY),
    "leakyRelu": (F.leaky_relu, ANY),
    "leakyRelu 0.2": (lambda x: F.leaky_relu(x, 0.2), ANY),
    "hardswish": (F.hardswish, ANY),
    "relu": (F.relu, ANY),
    "clamp": (lambda x: torch.clamp(x, -1.5, 2.5), ANY),
    "erf": (torch.erf, ANY),
    "atan": (torch.atan, ANY),
    "exp2": (torch.exp2, ANY),
    "expm1": (torch.expm1, torch.cat([ANY, SMALL])),
    "log1p": (torch.log1p, torch.cat([POSITIVE, SMALL])),
    "log": (torch.log, POSITIVE),
    "log2": (torch.log2, POSITIVE),
    "reciprocal": (torch.reciprocal, POSITIVE),
    "floor": (torch.floor, ANY),
    "ceil": (torch.ceil, ANY),
    "round": (torch.round, ANY),
    "trunc": (torch.trunc, ANY),
    "sign": (torch.sign, ANY),
    "toF16": (lambda x: x.float().half().double(), ANY * 7),
    "toBf16": (lambda x: x.float().bfloat16().double(), ANY * 7),
}
BINARY = {
    "pow": (torch.pow, POSITIVE[1:4].repeat(10), torch.randn(30).double() * 4),
    "pow whole": (torch.pow, ANY, torch.randint(-3, 4, ANY.shape).double()),
    "maximum": (torch.maximum, ANY, ANY.roll(1)),
}
INTEGERS = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "maximum": torch.maximum, "minimum": torch.minimum,
    "bitwiseAnd": torch.bitwise_and, "bitwiseOr": torch.bitwise_or, "bitwiseXor": torch.bitwise_xor,
    "floorDivide": lambda a, b: torch.div(a, b, rounding_mode="floor"), "remainder": torch.remainder,
    "bitwiseLeftShift": torch.bitwise_left_shift, "bitwiseRightShift": torch.bitwise_right_shift,
    "eq": torch.eq, "ne": torch.ne, "lt": torch.lt, "le": torch.le, "gt": torch.gt, "ge": torch.ge,
    "logicalAnd": torch.logical_and, "logicalOr": torch.logical_or,
}
SINGLES = {"bitwiseNot": torch.bitwise_not, "logicalNot": torch.logical_not, "abs": torch.abs, "neg": torch.neg, "sign": torch.sign}


def ints(shape=20):
    wide = torch.randint(-(2**31), 2**31, (shape,), dtype=torch.int64)
    narrow = torch.randint(-9, 10, (shape,), dtype=torch.int64)
    return torch.cat([wide, narrow]).int()


def lists(*tensors):
    return [t.detach().tolist() for t in tensors]


out = {"torch": torch.__version__, "unary": {}, "binary": {}, "integers": {}}
for name, (function, x) in UNARY.items():
    x = x.float().double().clone().requires_grad_()
    y = function(x)
    slope = torch.zeros_like(x)
    if y.requires_grad and name not in ("toF16", "toBf16"):
        (slope,) = torch.autograd.grad(y.sum(), x)
    x_list, y_list, g_list = lists(x, y, slope)
    out["unary"][name] = {"x": x_list, "y": y_list, "gradient": g_list}
for name, (function, a, b) in BINARY.items():
    a, b = [v.float().double().clone().requires_grad_() for v in (a, b)]
    y = function(a, b)
    slopes = torch.autograd.grad(y.sum(), (a, b))
    known = [torch.isfinite(y) & torch.isfinite(s) for s in slopes]
    keep = known[0] & torch.isfinite(y) & (y.abs() < 1e30)
    out["binary"][name] = dict(zip(("a", "b", "y", "gradientA"), lists(a[keep], b[keep], y[keep], slopes[0][keep])))
a, b = ints(), ints().flip(0)
for name, function in INTEGERS.items():
    second = b & 31 if "Shift" in name else torch.where(b == 0, torch.ones_like(b), b) if name in ("floorDivide", "remainder") else b
    safe = (a != -(2**31)) | (second != -1)
    first, second = a[safe], second[safe]
    out["integers"][name] = dict(zip(("a", "b", "y"), lists(first, second, function(first, second).int())))
for name, function in SINGLES.items():
    out["integers"][name] = dict(zip(("a", "y"), lists(a, function(a).int())))
print(json.dumps(out))
