"""Trains the PyTorch twin of each example, and of two more jobs, in float64, and records its losses.

    node scripts/torch-vectors/models.ts FILE.json && python3 scripts/torch-vectors/models.py FILE.json

FILE.json has the initial weights and the batches of a run of each job (models.ts). The losses are written
to test/vectors/torch-models.json; test/job/torch-models.test.ts trains the jobs and compares. The twins
are written from what the models are documented to be, and use PyTorch's own functions: layer_norm,
cross_entropy, AdamW, clip_grad_norm_ and so on. The last lines printed compare with the losses of the run.
"""

import json
import math
import os
import sys

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
OUT = os.path.join(os.path.dirname(__file__), "..", "..", "test", "vectors", "torch-models.json")


def tensor_of(spec):
    dtype = torch.int64 if spec["dtype"] == "i32" else torch.float64
    return torch.tensor(spec["data"], dtype=dtype).reshape(spec["shape"])


class Weights:
    """The parameters by name; `at` is a scope."""

    def __init__(self, values, options, scope="", lora=None):
        self.values, self.options, self.scope, self.lora = values, options, scope, lora

    def at(self, name):
        return Weights(self.values, self.options, f"{self.scope}{name}.", self.lora)

    def has(self, name):
        return f"{self.scope}{name}" in self.values

    def __call__(self, name):
        return self.values[f"{self.scope}{name}"]

    def linear(self, name, x):
        own = self.at(name)
        y = F.linear(x, own("weight").T, own("bias") if own.has("bias") else None)
        return y + self.lora * (x @ own("lora.a") @ own("lora.b")) if own.has("lora.a") else y

    def layer_norm(self, name, x, eps=1e-5):
        return F.layer_norm(x, x.shape[-1:], self.at(name)("weight"), self.at(name)("bias"), eps)

    def rms_norm(self, name, x, eps=1e-5):
        return x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + eps) * self.at(name)("weight")

    def group_norm(self, name, x, groups):
        return F.group_norm(x, groups, self.at(name)("weight"), self.at(name)("bias"), 1e-5)

    def conv(self, name, x, **options):
        return F.conv2d(x, self.at(name)("weight"), self.at(name)("bias"), **options)


def heads_of(x, heads):
    batch, length, width = x.shape
    return x.reshape(batch, length, heads, width // heads).transpose(1, 2)


def attend(q, k, v, causal, padding=None):
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    if causal:
        length = scores.shape[-1]
        scores = scores.masked_fill(torch.ones(length, length).triu(1).bool(), -math.inf)
    if padding is not None:
        scores = scores.masked_fill(padding, -math.inf)
    mixed = torch.softmax(scores, -1) @ v
    return mixed.transpose(1, 2).flatten(2)


def text_loss(logits, batch):
    return F.cross_entropy(logits.flatten(0, 1), batch["targets"].flatten())


def gpt(w, tokens):
    x = F.embedding(tokens, w("tokens.weight")) + w("positions.weight")[: tokens.shape[1]]
    for i in range(w.options["layers"]):
        block = w.at(f"blocks.{i}")
        qkv = block.linear("attention.qkv", block.layer_norm("norm1", x))
        q, k, v = (heads_of(y, w.options["heads"]) for y in qkv.chunk(3, -1))
        x = x + block.linear("attention.out", attend(q, k, v, True))
        inner = F.gelu(block.linear("mlp.in", block.layer_norm("norm2", x)), approximate="tanh")
        x = x + block.linear("mlp.out", inner)
    return w.linear("head", w.layer_norm("norm", x))


def rotate(x, base=10000.0):
    """Llama's rotary embedding: element i of the first half with element i of the second."""
    length, dim = x.shape[-2:]
    rates = base ** (-torch.arange(0, dim, 2) / dim)
    angles = torch.outer(torch.arange(length, dtype=torch.float64), rates)
    turned = torch.polar(torch.ones_like(angles), angles) * torch.complex(*x.chunk(2, -1))
    return torch.cat([turned.real, turned.imag], -1)


def llama(w, tokens):
    heads, shared = w.options["heads"], w.options["kvHeads"]
    x = F.embedding(tokens, w("tokens.weight"))
    for i in range(w.options["layers"]):
        block = w.at(f"blocks.{i}")
        y = block.rms_norm("norm1", x)
        q = rotate(heads_of(block.linear("attention.q", y), heads))
        k = rotate(heads_of(block.linear("attention.k", y), shared)).repeat_interleave(heads // shared, 1)
        v = heads_of(block.linear("attention.v", y), shared).repeat_interleave(heads // shared, 1)
        x = x + block.linear("attention.out", attend(q, k, v, True))
        y = block.rms_norm("norm2", x)
        x = x + block.linear("mlp.down", F.silu(block.linear("mlp.gate", y)) * block.linear("mlp.up", y))
    return w.linear("head", w.rms_norm("norm", x))


def spirals(w, batch):
    x = F.gelu(w.linear("layer1", batch["x"]))
    x = F.gelu(w.linear("layer2", x))
    return F.cross_entropy(w.linear("classes", x), batch["y"])


def convnet(w, batch):
    x = F.max_pool2d(F.relu(w.conv("conv1", batch["images"], padding=1)), 2)
    x = F.max_pool2d(F.relu(w.conv("conv2", x, padding=1)), 2)
    logits = w.linear("classes", F.relu(w.linear("hidden", x.flatten(1))))
    return F.cross_entropy(logits, batch["labels"])


def vit(w, batch):
    patch, heads = w.options["patch"], w.options["heads"]
    patches = F.unfold(batch["images"], patch, stride=patch).transpose(1, 2)
    embedded = w.linear("patches", patches)
    first = w("class.weight").expand(len(embedded), 1, -1)
    x = torch.cat([first, embedded], 1) + w("positions.weight")
    for i in range(w.options["layers"]):
        block = w.at(f"blocks.{i}")
        y = block.layer_norm("norm1", x, 1e-6)
        q, k, v = (heads_of(block.linear(f"attention.{name}", y), heads) for name in "qkv")
        x = x + block.linear("attention.out", attend(q, k, v, False))
        x = x + block.linear("mlp.out", F.gelu(block.linear("mlp.in", block.layer_norm("norm2", x, 1e-6))))
    logits = w.linear("head", w.layer_norm("norm", x, 1e-6)[:, 0])
    return F.cross_entropy(logits, batch["labels"])


def timed_block(w, x, time, groups):
    y = w.conv("conv1", F.silu(w.group_norm("norm1", x, groups)), padding=1)
    y = y + w.linear("time", time)[:, :, None, None]
    y = w.conv("conv2", F.silu(w.group_norm("norm2", y, groups)), padding=1)
    return y + (w.conv("shortcut", x) if w.has("shortcut.weight") else x)


def unet(w, images, times, groups=4):
    levels, half = w.options["levels"], w.options["width"] // 2
    angles = torch.outer(times.double(), torch.exp(-math.log(10000) / half * torch.arange(half)))
    waves = torch.cat([angles.sin(), angles.cos()], 1)
    time = F.silu(w.linear("time.out", F.silu(w.linear("time.in", waves))))
    x = w.conv("stem", images, padding=1)
    skipped = []
    for level in range(levels):
        if level > 0:
            x = w.conv(f"down.{level}.half", x, stride=2, padding=1)
        x = timed_block(w.at(f"down.{level}"), x, time, groups)
        skipped.append(x)
    x = timed_block(w.at("middle"), x, time, groups)
    for level in reversed(range(levels)):
        if level < levels - 1:
            x = w.conv(f"up.{level}.double", F.interpolate(x, scale_factor=2, mode="nearest"), padding=1)
        x = timed_block(w.at(f"up.{level}"), torch.cat([x, skipped[level]], 1), time, groups)
    return w.conv("head", F.silu(w.group_norm("norm", x, groups)), padding=1)


def denoiser(w, batch):
    angle = (batch["times"].double() * math.pi / 2 / 200)[:, None, None, None]
    noise = batch["noise"].reshape_as(batch["images"])
    noisy = batch["images"] * angle.cos() + noise * angle.sin()
    return F.mse_loss(unet(w, noisy, batch["times"]), noise)


def convolved(w, name, x, training, **options):
    own = w.at(name)
    y = F.conv2d(x, own("conv.weight"), **options)
    statistics = own("norm.running_mean"), own("norm.running_var")
    return F.batch_norm(y, *statistics, own("norm.weight"), own("norm.bias"), training, 0.1, 1e-5)


def resnet(w, batch, training=True):
    x = convolved(w, "stem", batch["images"], training, padding=1)
    for stage in range(2):
        block, stride = w.at(f"stages.{stage}.0"), stage + 1
        x = F.relu(x)
        y = F.relu(convolved(block, "first", x, training, stride=stride, padding=1))
        y = convolved(block, "second", y, training, padding=1)
        x = y + (convolved(block, "shortcut", x, training, stride=stride) if stride > 1 else x)
    logits = w.linear("head", F.relu(x).mean((2, 3)))
    return F.cross_entropy(logits, batch["labels"])


def bert(w, batch):
    tokens = batch["tokens"]
    x = F.embedding(tokens, w("tokens.weight")) + w("positions.weight")[: tokens.shape[1]]
    x = w.layer_norm("norm", x + F.embedding(batch["segments"], w("segments.weight")), 1e-12)
    padding = (batch["mask"] == 0)[:, None, None, :]
    for i in range(2):
        block = w.at(f"blocks.{i}")
        q, k, v = (heads_of(block.linear(f"attention.{name}", x), 2) for name in "qkv")
        x = block.layer_norm("norm1", x + block.linear("attention.out", attend(q, k, v, False, padding)), 1e-12)
        y = block.linear("mlp.out", F.gelu(block.linear("mlp.in", x)))
        x = block.layer_norm("norm2", x + y, 1e-12)
    return F.cross_entropy(w.linear("head", x[:, 0]), batch["labels"])


def cosine(peak, warmup, steps, final=0.0):
    """The rate of each step, from step 1."""

    def rate(step):
        if step < warmup:
            return peak * step / warmup
        done = min(1, (step - warmup) / (steps - warmup))
        return final + (peak - final) * (1 + math.cos(math.pi * done)) / 2

    return rate


def training(name, steps):
    """The loss, the rate of each step, the optimizer's options, the norm to clip at, the decay of vectors."""
    warm = min(20, steps - 1)
    language = lambda model: lambda w, batch: text_loss(model(w, batch["inputs"]), batch)
    return {
        "mlp-spirals": (spirals, lambda step: 0.01, {}, None, None),
        "char-gpt": (language(gpt), cosine(3e-3, warm, steps, 3e-4), {"betas": (0.9, 0.99)}, 1, 0),
        "llama": (
            language(llama),
            cosine(3e-3, warm, steps, 3e-4),
            {"betas": (0.9, 0.95), "weight_decay": 0.1},
            1,
            0,
        ),
        "digits-convnet": (convnet, cosine(3e-3, warm, steps, 3e-4), {}, None, None),
        "vit-digits": (vit, cosine(3e-3, min(40, steps - 1), steps, 1.5e-4), {"weight_decay": 0.05}, None, 0),
        "denoiser": (denoiser, cosine(2e-3, warm, steps), {}, 1, None),
        "lora-gpt": (language(gpt), lambda step: 1e-2, {"weight_decay": 0}, 1, None),
        "resnet": (
            resnet,
            lambda step: 0.02,
            {"momentum": 0.9, "nesterov": True, "weight_decay": 1e-3},
            None,
            None,
        ),
        "bert": (bert, lambda step: 3e-3, {"weight_decay": 1e-3}, 0.5, None),
    }[name]


OPTIMIZERS = {"resnet": lambda groups, **own: torch.optim.SGD(groups, 1, **own), "bert": torch.optim.Adam}


def train(case):
    options = case["options"]
    name = case["module"].split("/")[-1]
    values = {spec["name"]: tensor_of(spec) for spec in case["parameters"]}
    for spec in case["parameters"]:
        values[spec["name"]].requires_grad_(spec["trained"] and "running_" not in spec["name"])
    loss_of, rate, own, clip, decay_of_vectors = training(name, options["steps"])
    trained = [value for value in values.values() if value.requires_grad]
    groups = [{"params": [value for value in trained if value.dim() >= 2]}]
    groups.append({"params": [value for value in trained if value.dim() < 2]})
    if decay_of_vectors is not None:
        groups[1]["weight_decay"] = decay_of_vectors
    optimizer = OPTIMIZERS.get(name, torch.optim.AdamW)([group for group in groups if group["params"]], **own)
    weights = Weights(values, options, lora=2.0)
    data = {spec["name"].split("/")[1]: tensor_of(spec) for spec in case["data"]}
    losses, evaluated = [], []
    for step, specs in enumerate(case["batches"], 1):
        if loss_of is resnet:
            with torch.no_grad():
                evaluated.append(resnet(weights, data, False).item())
        loss = loss_of(weights, {name: tensor_of(spec) for name, spec in specs.items()})
        optimizer.zero_grad()
        loss.backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(trained, clip)
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        optimizer.step()
        losses.append(loss.item())
    return losses, evaluated


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        cases = json.load(file)
    lines = []
    for case in cases:
        losses, evaluated = train(case)
        kept = {"module": case["module"], "options": case["options"]}
        kept["losses"] = [float(f"{loss:.7g}") for loss in losses]
        if evaluated:
            kept["evaluated"] = [float(f"{loss:.7g}") for loss in evaluated]
        lines.append(json.dumps(kept, separators=(",", ":")))
        apart = [abs(ours - theirs) for ours, theirs in zip(case["losses"], losses)]
        print(f"{case['module']}: {losses[0]:.4f} to {losses[-1]:.4f}; at most {max(apart):.2e} apart")
    with open(OUT, "w", encoding="utf-8") as file:
        file.write(f'{{"torch": "{torch.__version__}", "cases": [\n' + ",\n".join(lines) + "\n]}\n")


main()
