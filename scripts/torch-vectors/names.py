"""Records the names of PyTorch's functions, for the page of operators (scripts/operators.ts).

    python3 scripts/torch-vectors/names.py       # writes scripts/torch-vectors/names.json
"""

import json
import os

import torch

MODULES = {"torch": torch, "torch.nn.functional": torch.nn.functional, "torch.Tensor": torch.Tensor}

names = {
    path: sorted(name for name in dir(module) if name.islower() and name[0] != "_" and callable(getattr(module, name, None)))
    for path, module in MODULES.items()
}
with open(os.path.join(os.path.dirname(__file__), "names.json"), "w") as file:
    lines = [f"{json.dumps(path)}: {json.dumps(' '.join(list))}" for path, list in names.items()]
    file.write("{" + ",\n".join(lines) + "}\n")
