"""What PyTorch does on the same GPU: matrix products, and a training step of a GPT of the shapes of bench/webgpu.ts.

    python3 bench/torch-gpt.py '{"sizes": [512], "shapes": {"small": {"layers": 4, "heads": 8, ...}}}' [--cpu]

All in float32 without TF32, any order, fused. Prints one JSON line a sample; exits 3 where it can't run, and says why.
"""

import json
import os
import statistics
import sys
import time

try:
    import torch
except ImportError as error:
    print(f"skipped: {error}", file=sys.stderr)
    sys.exit(3)

if "--cpu" not in sys.argv and not torch.cuda.is_available():
    print("skipped: torch has no CUDA device here", file=sys.stderr)
    sys.exit(3)

import torch.nn.functional as F
from torch import nn

sys.dont_write_bytecode = True  # nothing is left beside the scripts
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers"))
from torch_block import Block

DEVICE = torch.device("cpu" if "--cpu" in sys.argv else "cuda")
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
VOCABULARY = 256


def wait():
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()


def median_millis(call, samples=9, calls=1):
    for _ in range(3):
        call()
    times = []
    for _ in range(samples):
        wait()
        began = time.perf_counter()
        for _ in range(calls):
            call()
        wait()
        times.append((time.perf_counter() - began) * 1000 / calls)
    return statistics.median(times)


def show(name, value, unit):
    print(json.dumps({"schemaVersion": 1, "name": name, "value": value, "unit": unit}), flush=True)


class Gpt(nn.Module):
    def __init__(self, layers, heads, dim, context, **_):
        super().__init__()
        self.tokens = nn.Embedding(VOCABULARY, dim)
        self.positions = nn.Parameter(torch.randn(context, dim) * 0.02)
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, VOCABULARY, bias=False)
        self.register_buffer("mask", torch.ones(context, context, dtype=torch.bool).triu(1))

    def forward(self, tokens):
        x = self.tokens(tokens) + self.positions
        for block in self.blocks:
            x = block(x, self.mask)
        return self.head(self.norm(x))


def step_millis(shape):
    model = Gpt(**shape).to(DEVICE)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
    tokens = torch.randint(VOCABULARY, (shape["batch"], shape["context"] + 1), device=DEVICE)

    def step():
        optimizer.zero_grad(set_to_none=True)
        logits = model(tokens[:, :-1])
        F.cross_entropy(logits.reshape(-1, VOCABULARY), tokens[:, 1:].reshape(-1)).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return median_millis(step)


def main():
    wanted = json.loads(sys.argv[1])
    name = torch.cuda.get_device_name() if DEVICE.type == "cuda" else "cpu"
    print(json.dumps({"schemaVersion": 1, "torch": torch.__version__, "device": name}), flush=True)
    for size in wanted["sizes"]:
        a, b = torch.rand(size, size, device=DEVICE), torch.rand(size, size, device=DEVICE)
        calls = max(1, round(2e10 / size**3)) if DEVICE.type == "cuda" else 1
        millis = median_millis(lambda: a @ b, calls=calls)
        show(f"matmul {size}x{size}x{size}", 2 * size**3 / millis / 1e6, "GFLOP/s")
    for shape_name, shape in wanted["shapes"].items():
        tokens = shape["batch"] * shape["context"]
        title = f"GPT step, {shape_name} ({shape['layers']} layers, width {shape['dim']}, {tokens} tokens)"
        show(title, step_millis(shape), "ms")


main()
