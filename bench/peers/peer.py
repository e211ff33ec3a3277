"""PyTorch, or numpy with OpenBLAS, as a contender of bench/peers: answers the questions on stdin line by line.

    python3 bench/peers/peer.py torch|numpy THREADS

Operands and tasks are those of bench/peers/tasks.ts. All in float32, in any order, fused.
"""

import ctypes
import json
import math
import os
import resource
import sys
import time

WHICH, THREADS = sys.argv[1], int(sys.argv[2])


def say(answer):
    print(json.dumps(answer), flush=True)


def unable(why):
    say({"unable": why})
    sys.exit(0)


try:
    import numpy as np
except ImportError as error:
    unable(f"{sys.executable} has no numpy ({error}); Debian: apt-get install python3-numpy libopenblas0-pthread")

if WHICH == "torch":
    try:
        import torch
        import torch.nn.functional as F
        from torch import nn
    except ImportError as error:
        unable(f"{sys.executable} has no PyTorch ({error}); Debian: apt-get install python3-torch")
    sys.dont_write_bytecode = True  # nothing is left beside the scripts
    from torch_block import Block

    torch.set_num_threads(THREADS)

SCALE = 10
RATE = 1e-3


def operand(shape, salt, scale=1.0):
    at = np.arange(math.prod(shape), dtype=np.int64)
    return (scale * (((at * 37 + salt) % 101) / 101 - 0.5)).astype(np.float32).reshape(shape)


def shown(array, most=64):
    flat = np.asarray(array).reshape(-1)
    count = min(flat.size, most)
    return [float(flat[i * flat.size // count]) for i in range(count)]


def product_operands(task):
    outer = [task["batch"]] if task["batch"] > 1 else []
    m, n, k, stored = task["m"], task["n"], task["k"], task["transpose"]
    a = operand(outer + ([k, m] if stored == "a" else [m, k]), 1)
    b = operand(outer + ([n, k] if stored == "b" else [k, n]), 2)
    return a, b, stored


def numpy_product(task):
    a, b, stored = product_operands(task)
    a = a.swapaxes(-1, -2) if stored == "a" else a
    b = b.swapaxes(-1, -2) if stored == "b" else b
    c = np.matmul(a, b)
    return shown(c), lambda: np.matmul(a, b, out=c)


def torch_product(task):
    a, b, stored = product_operands(task)
    a, b = torch.from_numpy(a), torch.from_numpy(b)
    a = a.transpose(-1, -2) if stored == "a" else a
    b = b.transpose(-1, -2) if stored == "b" else b
    c = torch.matmul(a, b)
    return shown(c), lambda: torch.matmul(a, b, out=c)


def torch_operator(task):
    rows, columns, gradient, name = task["rows"], task["columns"], task["gradient"], task["operator"]
    x = torch.from_numpy(operand([rows, columns], 1, SCALE))
    parameters = []
    if name == "cross-entropy":
        targets = torch.tensor([(i * 31) % columns for i in range(rows)])
        forward = lambda: F.cross_entropy(x, targets)
    elif name == "layer norm":
        parameters = [torch.from_numpy(operand([columns], salt)) for salt in (2, 3)]
        forward = lambda: F.layer_norm(x, (columns,), *parameters)
    elif name == "softmax":
        forward = lambda: torch.softmax(x, dim=1)
    else:
        forward = lambda: F.gelu(x, approximate="tanh" if name == "GELU" else "none")
    if not gradient:
        with torch.no_grad():
            check = shown(forward())

        def call():
            with torch.no_grad():
                forward()

        return check, call
    leaves = [x, *parameters]
    for leaf in leaves:
        leaf.requires_grad_(True)
    g = None if name == "cross-entropy" else torch.from_numpy(operand([rows, columns], 4))

    def step():
        y = forward()
        return y, torch.autograd.grad(y, leaves, g)

    y, slopes = step()
    check = [value for tensor in (y, *slopes) for value in shown(tensor.detach())]
    return check, step


def torch_adamw(task):
    elements = task["elements"]
    w = nn.Parameter(torch.from_numpy(operand([elements, 1], 1)))
    w.grad = torch.from_numpy(operand([elements, 1], 4))
    optimizer = torch.optim.AdamW([w], lr=RATE, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.01)
    optimizer.step()
    state = optimizer.state[w]
    with torch.no_grad():
        # The same weights and moments as the other contender's, without corrections of the bias.
        w.copy_(torch.from_numpy(operand([elements, 1], 1)))
        state["exp_avg"].copy_(torch.from_numpy(operand([elements, 1], 2, 0.1)))
        state["exp_avg_sq"].fill_(0.01)
    state["step"] = torch.tensor(1e6) if torch.is_tensor(state["step"]) else 1_000_000
    optimizer.step()
    return shown(w.detach()), optimizer.step


class Gpt(nn.Module if WHICH == "torch" else object):
    """The table of tokens is the last layer's weight too."""

    def __init__(self, task):
        super().__init__()
        dim, context = task["dim"], task["context"]
        self.tokens = nn.Parameter(torch.empty(task["vocabulary"], dim))
        self.positions = nn.Parameter(torch.empty(context, dim))
        self.blocks = nn.ModuleList(Block(dim, task["heads"]) for _ in range(task["layers"]))
        self.norm = nn.LayerNorm(dim)
        self.register_buffer("mask", torch.ones(context, context, dtype=torch.bool).triu(1))

    def forward(self, tokens):
        x = F.embedding(tokens, self.tokens) + self.positions
        for block in self.blocks:
            x = block(x, self.mask)
        return F.linear(self.norm(x), self.tokens)


LAYERS = {"attention.qkv": "qkv", "attention.out": "out", "mlp.in": "widen", "mlp.out": "narrow"}


def load(model, path):
    """Takes the weights of a safetensors file, under the names of bench/peers/gpt.ts."""
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
        header.pop("__metadata__", None)
        own = dict(model.named_parameters())
        for name, entry in header.items():
            first, last = entry["data_offsets"]
            file.seek(8 + size + first)
            values = torch.frombuffer(bytearray(file.read(last - first)), dtype=torch.float32).view(entry["shape"])
            target = name
            for ours, theirs in LAYERS.items():
                if f".{ours}." in name:
                    target = name.replace(f".{ours}.", f".{theirs}.")
                    values = values.t() if values.dim() == 2 else values
            target = {"tokens.weight": "tokens", "positions.weight": "positions"}.get(target, target)
            with torch.no_grad():
                own.pop(target).copy_(values)
    if own:
        raise ValueError(f"{path} lacks {', '.join(own)}")


def torch_gpt(task):
    model = Gpt(task)
    load(model, task["weights"])
    groups = [
        {"params": [p for p in model.parameters() if p.dim() >= 2], "weight_decay": 0.01},
        {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=3e-4, betas=(0.9, 0.99), eps=1e-8)
    batch, context, vocabulary = task["batch"], task["context"], task["vocabulary"]
    rows = [[((row * (context + 1) + i) * 7919 + 13) % vocabulary for i in range(context + 1)] for row in range(batch)]
    tokens = torch.tensor(rows)

    def step():
        optimizer.zero_grad(set_to_none=True)
        logits = model(tokens[:, :-1])
        loss = F.cross_entropy(logits.reshape(-1, vocabulary), tokens[:, 1:].reshape(-1))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    return [step() for _ in range(4)], step


TASKS = {
    "numpy": {"product": numpy_product},
    "torch": {"product": torch_product, "operator": torch_operator, "adamw": torch_adamw, "gpt": torch_gpt},
}


def library():
    """The BLAS that numpy calls, with its version, from the libraries that this process has loaded."""
    np.matmul(np.ones((2, 2), np.float32), np.ones((2, 2), np.float32))
    try:
        with open("/proc/self/maps", encoding="utf8") as maps:
            paths = sorted({line.split()[-1] for line in maps if "/" in line})
    except OSError:
        return "an unknown BLAS"
    for path in paths:
        if "openblas" in path.lower():
            return openblas(path)
    return "MKL" if any("mkl" in path.lower() for path in paths) else "another BLAS"


def openblas(path):
    """Its own words begin with name and version; the builds of numpy's packages add to the function's name."""
    loaded = ctypes.CDLL(path)
    for name in ("openblas_get_config", "scipy_openblas_get_config64_", "openblas_get_config64_"):
        config = getattr(loaded, name, None)
        if config is not None:
            config.restype = ctypes.c_char_p
            return " ".join(config().decode().split()[:2])
    return "OpenBLAS"


def main():
    if WHICH == "torch":
        name = f"PyTorch {torch.__version__}"
    else:
        blas = library()
        if not blas.startswith("OpenBLAS"):
            unable(f"the numpy of {sys.executable} uses {blas}; Debian: apt-get install python3-numpy libopenblas0-pthread")
        name = f"{blas} (numpy {np.__version__})"
    say({"name": name, "threads": THREADS})
    call = None
    for line in sys.stdin:
        question = json.loads(line)
        try:
            if "prepare" in question:
                call = None
                task = question["prepare"]
                make = TASKS[WHICH].get(task["kind"])
                if make is None:
                    say({"unable": f"{name} is not asked for {task['kind']}"})
                    continue
                check, call = make(task)
                say({"check": check})
            elif "time" in question:
                began = time.perf_counter()
                for _ in range(question["time"]):
                    call()
                say({"millis": (time.perf_counter() - began) * 1000 / question["time"]})
            else:
                # In KiB on Linux, in bytes on macOS.
                unit = 1 if sys.platform == "darwin" else 1024
                say({"bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit})
        except Exception as error:  # The bench says why, and continues with the next comparison.
            say({"failed": f"{type(error).__name__}: {error}"})
    os._exit(0)


main()
