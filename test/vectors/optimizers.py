"""Records what PyTorch's optimizers, clipping and schedules do: /usr/bin/python3 test/vectors/optimizers.py

Ten steps in float64 on a matrix and a vector. The gradient of step t is g[t] + weight / 4.
"""
import json
import math
import os

import torch
from torch.optim import lr_scheduler

STEPS = 10
SHAPES = {"matrix": [4, 3], "vector": [5]}


def numbers(count, seed):
    """Multiples of 2^-7 in [-1, 1): every type holds them."""
    state, out = seed, []
    for _ in range(count):
        state = (state * 1103515245 + 12345) % 2**31
        out.append(((state >> 8) % 256 - 128) / 128)
    return out


START = {name: numbers(math.prod(shape), 1 + i) for i, (name, shape) in enumerate(SHAPES.items())}
SLOPES = {name: [numbers(math.prod(shape), 100 * i + t) for t in range(STEPS)] for i, (name, shape) in enumerate(SHAPES.items())}


def train(make, clip=None):
    weights = {
        name: torch.tensor(START[name], dtype=torch.float64).reshape(shape).requires_grad_()
        for name, shape in SHAPES.items()
    }
    optimizer = make(weights)
    for t in range(STEPS):
        for name, weight in weights.items():
            slope = torch.tensor(SLOPES[name][t], dtype=torch.float64).reshape(weight.shape)
            weight.grad = slope + weight.detach() / 4
        if clip:
            clip(list(weights.values()))
        optimizer.step()
    return {name: weight.detach().flatten().tolist() for name, weight in weights.items()}


def case(optimizer, options, name, clip=None, **settings):
    make = lambda weights: getattr(torch.optim, name)(weights.values(), **settings)
    return {"optimizer": optimizer, "options": options, "weights": train(make, clip)}


def groups(weights):
    return torch.optim.AdamW(
        [{"params": [weights["matrix"]]}, {"params": [weights["vector"]], "lr": 0.01, "weight_decay": 0}], lr=0.1
    )


utils = torch.nn.utils
CASES = [
    case("adamW", {"learningRate": 0.1}, "AdamW", lr=0.1),
    case(
        "adamW",
        {"learningRate": 0.01, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3, "weightDecay": 0.2},
        "AdamW", lr=0.01, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.2,
    ),
    case("adamW", {"learningRate": 0.1, "clipNorm": 0.5}, "AdamW", lambda w: utils.clip_grad_norm_(w, 0.5), lr=0.1),
    case("sgd", {"learningRate": 0.1, "clipNorm": 0.5}, "SGD", lambda w: utils.clip_grad_norm_(w, 0.5), lr=0.1),
    case("sgd", {"learningRate": 0.1, "clipValue": 0.25}, "SGD", lambda w: utils.clip_grad_value_(w, 0.25), lr=0.1),
    {
        "optimizer": "adamW",
        "options": {"learningRate": 0.1},
        "group": {"learningRate": 0.01, "weightDecay": 0},
        "weights": train(groups),
    },
    case("adamW", {"learningRate": 0.1, "amsgrad": True}, "AdamW", lr=0.1, amsgrad=True),
    case("adam", {"learningRate": 0.1}, "Adam", lr=0.1),
    case(
        "adam", {"learningRate": 0.1, "beta2": 0.5, "weightDecay": 0.3, "amsgrad": True}, "Adam",
        lr=0.1, betas=(0.9, 0.5), weight_decay=0.3, amsgrad=True,
    ),
    case("adam", {"learningRate": 0.1, "weightDecay": 0.3}, "Adam", lr=0.1, weight_decay=0.3),
    # Without foreach, NAdam of PyTorch 1.13 multiplies a product by its last factor twice; PyTorch 2 does not.
    case("nAdam", {"learningRate": 0.1}, "NAdam", lr=0.1, foreach=True),
    case(
        "nAdam", {"learningRate": 0.1, "weightDecay": 0.3, "momentumDecay": 0.1}, "NAdam",
        lr=0.1, weight_decay=0.3, momentum_decay=0.1, foreach=True,
    ),
    case("rAdam", {"learningRate": 0.1}, "RAdam", lr=0.1),
    case("rAdam", {"learningRate": 0.1, "beta2": 0.9, "weightDecay": 0.3}, "RAdam", lr=0.1, betas=(0.9, 0.9), weight_decay=0.3),
    case("rmsProp", {"learningRate": 0.1}, "RMSprop", lr=0.1),
    case(
        "rmsProp",
        {"learningRate": 0.1, "alpha": 0.9, "weightDecay": 0.3, "momentum": 0.5, "centered": True},
        "RMSprop", lr=0.1, alpha=0.9, weight_decay=0.3, momentum=0.5, centered=True,
    ),
    case("sgd", {"learningRate": 0.1}, "SGD", lr=0.1),
    case("sgd", {"learningRate": 0.1, "momentum": 0.9}, "SGD", lr=0.1, momentum=0.9),
    case(
        "sgd", {"learningRate": 0.1, "momentum": 0.9, "dampening": 0.4, "weightDecay": 0.3}, "SGD",
        lr=0.1, momentum=0.9, dampening=0.4, weight_decay=0.3,
    ),
    case(
        "sgd", {"learningRate": 0.1, "momentum": 0.9, "weightDecay": 0.3, "nesterov": True}, "SGD",
        lr=0.1, momentum=0.9, weight_decay=0.3, nesterov=True,
    ),
]


def rates(make, steps=16):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    scheduler = make(optimizer)
    out = []
    for _ in range(steps):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return out


def chained(optimizer):
    first = lr_scheduler.LinearLR(optimizer, start_factor=0.25, total_iters=4)
    return lr_scheduler.SequentialLR(optimizer, [first, lr_scheduler.ExponentialLR(optimizer, 0.5)], [5])


SCHEDULES = [
    {"schedule": "constantLR", "options": {"factor": 0.25, "totalSteps": 5},
     "rates": rates(lambda o: lr_scheduler.ConstantLR(o, factor=0.25, total_iters=5))},
    {"schedule": "linearLR", "options": {}, "rates": rates(lambda o: lr_scheduler.LinearLR(o))},
    {"schedule": "linearLR", "options": {"startFactor": 0.25, "endFactor": 0.5, "totalSteps": 7},
     "rates": rates(lambda o: lr_scheduler.LinearLR(o, 0.25, 0.5, 7))},
    {"schedule": "stepLR", "options": {"stepSize": 4}, "rates": rates(lambda o: lr_scheduler.StepLR(o, 4))},
    {"schedule": "stepLR", "options": {"stepSize": 3, "gamma": 0.75},
     "rates": rates(lambda o: lr_scheduler.StepLR(o, 3, 0.75))},
    {"schedule": "multiStepLR", "options": {"milestones": [3, 7, 8], "gamma": 0.5},
     "rates": rates(lambda o: lr_scheduler.MultiStepLR(o, [3, 7, 8], 0.5))},
    {"schedule": "exponentialLR", "options": {"gamma": 0.9}, "rates": rates(lambda o: lr_scheduler.ExponentialLR(o, 0.9))},
    # PyTorch's rate rises again after tMax steps, so it is compared up to there.
    {"schedule": "cosineAnnealingLR", "options": {"tMax": 15, "etaMin": 0.125},
     "rates": rates(lambda o: lr_scheduler.CosineAnnealingLR(o, 15, 0.125))},
    {"schedule": "cosineAnnealingWarmRestarts", "options": {"t0": 5},
     "rates": rates(lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 5))},
    {"schedule": "cosineAnnealingWarmRestarts", "options": {"t0": 2, "tMult": 2, "etaMin": 0.125},
     "rates": rates(lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 2, 2, 0.125))},
    {"schedule": "sequentialLR", "options": {}, "rates": rates(chained)},
]

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "optimizers.json"), "w") as file:
    vectors = {
        "by": f"optimizers.py, PyTorch {torch.__version__}",
        "shapes": SHAPES, "start": START, "slopes": SLOPES, "cases": CASES, "schedules": SCHEDULES,
    }
    json.dump(vectors, file, indent=1)
    file.write("\n")
