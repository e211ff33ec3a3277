"""Norms, the softmax family, losses, convolution, pooling and attention."""

import torch
import torch.nn.functional as F

from frame import Cases, floats, given, ints

cases = Cases("nn")

for shape in [(3, 5), (2, 32), (1, 1)]:
    cases.add("softmax", ["$0"], [floats(*shape, low=-4, high=4)], lambda x: F.softmax(x, -1))

for axis in [0, 1]:
    for operator, of in [("softmax", F.softmax), ("logSoftmax", F.log_softmax), ("logSumExp", torch.logsumexp)]:
        cases.add(operator, ["$0", axis], [floats(2, 3, 4, low=-4, high=4)], lambda x: of(x, axis))
cases.add("logSoftmax", ["$0"], [floats(2, 48, low=-9, high=9)], lambda x: F.log_softmax(x, -1))
cases.add("logSumExp", ["$0"], [floats(3, 5, low=1e4, high=1.001e4)], lambda x: torch.logsumexp(x, -1), "large")
cases.add("softmax", ["$0"], [given([2, 3], [-(2.0**127)] * 6)], lambda x: F.softmax(x, -1), "all equal to -2^127")

# Losses
REDUCTIONS = ["mean", "sum", "none"]


def classes_second(x):
    """[..., classes] as PyTorch wants it."""
    return x.movedim(-1, 1) if x.dim() > 1 else x


for reduction in REDUCTIONS:
    for smoothing, labels in [(0, [1, -100, 4, 0]), (0.1, [2, 3, -100, -100])]:
        cases.add(
            "crossEntropy",
            ["$0", "$1", {"labelSmoothing": smoothing, "reduction": reduction}],
            [floats(4, 5, low=-4, high=4), ints([4], labels)],
            lambda x, t: F.cross_entropy(x, t, reduction=reduction, label_smoothing=smoothing),
        )
    cases.add(
        "nllLoss",
        ["$0", "$1", {"ignoreIndex": 2, "reduction": reduction}],
        [floats(4, 5, low=-4, high=0), ints([4], [1, 2, 4, 0])],
        lambda x, t: F.nll_loss(x, t, ignore_index=2, reduction=reduction),
    )
cases.add(
    "crossEntropy",
    ["$0", "$1"],
    [floats(2, 3, 7, low=-4, high=4), ints([2, 3], [1, 6, 0, -100, 3, 3])],
    lambda x, t: F.cross_entropy(classes_second(x), t),
)
cases.add(
    "crossEntropy",
    ["$0", "$1", {"ignoreIndex": 0, "labelSmoothing": 0.3}],
    [floats(5, 32, low=-20, high=20), ints([5], [31, 0, 17, 1, 0])],
    lambda x, t: F.cross_entropy(x, t, ignore_index=0, label_smoothing=0.3),
)
for reduction in REDUCTIONS:
    pair = lambda: [floats(2, 5, low=-2, high=2), floats(2, 5, low=-2, high=2)]
    options = {"reduction": reduction}
    cases.add("mseLoss", ["$0", "$1", options], pair(), lambda x, t: F.mse_loss(x, t, reduction=reduction))
    cases.add("l1Loss", ["$0", "$1", options], pair(), lambda x, t: F.l1_loss(x, t, reduction=reduction))
    cases.add(
        "huberLoss",
        ["$0", "$1", {"delta": 0.5, **options}],
        pair(),
        lambda x, t: F.huber_loss(x, t, delta=0.5, reduction=reduction),
    )
    for beta in [0, 0.75]:
        cases.add(
            "smoothL1Loss",
            ["$0", "$1", {"beta": beta, **options}],
            pair(),
            lambda x, t: F.smooth_l1_loss(x, t, beta=beta, reduction=reduction),
        )
    probabilities = lambda: [floats(3, 4, low=-3, high=0), floats(3, 4, low=0.01, high=1)]
    cases.add("klDiv", ["$0", "$1", options], probabilities(), lambda x, t: F.kl_div(x, t, reduction=reduction))
    cases.add(
        "binaryCrossEntropyWithLogits",
        ["$0", "$1", options],
        [floats(3, 4, low=-20, high=20), floats(3, 4, low=0, high=1)],
        lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction=reduction),
    )
cases.add(
    "binaryCrossEntropyWithLogits",
    ["$0", "$1", {"reduction": "none"}],
    [given([5], [14, 16, 18, 30, 60]), given([5], [1, 1, 1, 1, 1])],
    lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="none"),
    "of small losses",
)
cases.add(
    "klDiv",
    ["$0", "$1", {"reduction": "batchmean", "logTarget": True}],
    [floats(3, 4, low=-3, high=0), floats(3, 4, low=-3, high=0)],
    lambda x, t: F.kl_div(x, t, reduction="batchmean", log_target=True),
)
cases.add("mseLoss", ["$0", "$1"], [floats(64, 3), floats(64, 3)], F.mse_loss)

# Similarity
for shape, axis in [((3, 5), 1), ((2, 4, 3), 1), ((4,), 0)]:
    cases.add("normalize", ["$0", axis], [floats(*shape)], lambda x: F.normalize(x, dim=axis))
    cases.add(
        "cosineSimilarity",
        ["$0", "$1", axis],
        [floats(*shape), floats(*shape)],
        lambda a, b: F.cosine_similarity(a, b, dim=axis),
    )
cases.add("normalize", ["$0"], [floats(2, 3, low=1e25, high=3e25)], lambda x: F.normalize(x, dim=-1), "huge")


def contrastive(a, b, temperature, symmetric):
    logits = F.normalize(a, dim=-1) @ F.normalize(b, dim=-1).T / temperature
    own = torch.arange(len(a))
    forth = F.cross_entropy(logits, own)
    return (forth + F.cross_entropy(logits.T, own)) / 2 if symmetric else forth


cases.add("contrastiveLoss", ["$0", "$1"], [floats(4, 6), floats(4, 6)], lambda a, b: contrastive(a, b, 0.07, True))
cases.add(
    "contrastiveLoss",
    ["$0", "$1", {"temperature": "$2", "symmetric": False}],
    [floats(3, 4), floats(3, 4), floats(low=0.4, high=0.6)],
    lambda a, b, t: contrastive(a, b, t, False),
)


# Norms
def rms_norm(x, w, epsilon):
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + epsilon) * w


for shape in [(3, 7), (2, 3, 32), (1, 100), (5, 3)]:
    n = shape[-1]
    inputs = [floats(*shape, low=-2, high=3), floats(n), floats(n)]
    cases.add("layerNorm", ["$0", "$1", "$2"], inputs, lambda x, w, b: F.layer_norm(x, w.shape, w, b))
    inputs = [floats(*shape, low=-2, high=3), floats(n)]
    cases.add("rmsNorm", ["$0", "$1", 1e-5], inputs, lambda x, w: rms_norm(x, w, 1e-5))
for title, low, high in [("a mean far above the spread", 1000, 1000.001), ("huge", 1e30, 4e30), ("tiny", 1e-30, 4e-30)]:
    inputs = [floats(2, 16, low=low, high=high), floats(16), floats(16)]
    cases.add("layerNorm", ["$0", "$1", "$2"], inputs, lambda x, w, b: F.layer_norm(x, [16], w, b), title)
for shape, groups in [((2, 6, 5), 3), ((3, 6), 2), ((2, 4, 3, 5), 1), ((1, 3, 2, 2, 3), 3)]:
    c = shape[1]
    inputs = [floats(*shape), floats(c), floats(c)]
    cases.add("groupNorm", ["$0", groups, "$1", "$2"], inputs, lambda x, w, b: F.group_norm(x, groups, w, b))
cases.add("instanceNorm", ["$0"], [floats(2, 3, 4, 5)], F.instance_norm)
for shape in [(5, 3), (2, 3, 7), (4, 2, 3, 5)]:
    c = shape[1]
    inputs = [floats(*shape, low=1, high=3), floats(c), floats(c)]
    cases.add(
        "batchNorm", ["$0", "$1", "$2"], inputs, lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True)
    )
cases.add(
    "batchNorm",
    ["$0", "$1", "$2", {"mean": "$3", "variance": "$4", "epsilon": 0.01}],
    [floats(2, 3, 4), floats(3), floats(3), floats(3), floats(3, low=0.5, high=2)],
    lambda x, w, b, m, v: F.batch_norm(x, m.detach(), v.detach(), w, b, eps=0.01),
)
cases.add(
    "batchStatistics",
    ["$0"],
    [floats(4, 2, 5, low=5, high=6)],
    lambda x: [x.mean([0, 2]).detach(), x.transpose(0, 1).reshape(2, -1).var(1).detach()],
)

# Convolutions
def options_of(**given):
    return {name.replace("output_padding", "outputPadding"): value for name, value in given.items()}


for x, w, bias, given_options in [
    ((2, 3, 7), (4, 3, 3), True, {}),
    ((1, 4, 11), (6, 2, 4), False, {"stride": 3, "padding": 2, "dilation": 2, "groups": 2}),
    ((2, 2, 5), (2, 2, 1), False, {"padding": 2}),
    ((1, 3, 6), (3, 1, 4), True, {"padding": "same", "dilation": 2, "groups": 3}),
    ((1, 1, 9), (1, 1, 2), False, {"stride": 4}),
]:
    inputs = [floats(*x), floats(*w)] + ([floats(w[0])] if bias else [])
    args = ["$0", "$1", "$2" if bias else None, given_options]
    cases.add("conv1d", args, inputs, lambda x, w, b=None: F.conv1d(x, w, b, **given_options))
for x, w, bias, given_options in [
    ((2, 3, 5, 4), (4, 3, 3, 3), True, {"padding": 1}),
    ((1, 4, 8, 7), (6, 2, 3, 2), True, {"stride": [2, 1], "padding": [0, 2], "dilation": [1, 2], "groups": 2}),
    ((2, 3, 7, 7), (2, 3, 3, 3), False, {"stride": 2, "padding": 1}),
    ((1, 2, 4, 4), (3, 2, 1, 1), False, {}),
    ((1, 2, 5, 5), (2, 2, 5, 5), False, {"padding": "valid"}),
]:
    inputs = [floats(*x), floats(*w)] + ([floats(w[0])] if bias else [])
    args = ["$0", "$1", "$2" if bias else None, given_options]
    cases.add("conv2d", args, inputs, lambda x, w, b=None: F.conv2d(x, w, b, **given_options))
for x, w, bias, given_options in [
    ((2, 3, 5), (3, 2, 4), True, {}),
    ((1, 4, 4), (4, 3, 3), False, {"stride": 3, "padding": 2, "output_padding": 1, "dilation": 2, "groups": 2}),
    ((1, 2, 3), (2, 2, 2), False, {"stride": 4, "output_padding": 3}),
]:
    outputs = w[1] * given_options.get("groups", 1)
    inputs = [floats(*x), floats(*w)] + ([floats(outputs)] if bias else [])
    args = ["$0", "$1", "$2" if bias else None, options_of(**given_options)]
    cases.add("convTranspose1d", args, inputs, lambda x, w, b=None: F.conv_transpose1d(x, w, b, **given_options))
for x, w, bias, given_options in [
    ((1, 3, 3, 4), (3, 2, 3, 3), True, {"stride": 2, "padding": 1, "output_padding": 1}),
    ((2, 2, 3, 2), (2, 1, 2, 3), True, {"stride": [1, 2], "padding": [1, 0], "groups": 2}),
]:
    outputs = w[1] * given_options.get("groups", 1)
    inputs = [floats(*x), floats(*w)] + ([floats(outputs)] if bias else [])
    args = ["$0", "$1", "$2" if bias else None, options_of(**given_options)]
    cases.add("convTranspose2d", args, inputs, lambda x, w, b=None: F.conv_transpose2d(x, w, b, **given_options))

# Pooling. Ties: the first maximum counts.
for x, kernel, given_options in [
    ((2, 2, 7), 2, {}),
    ((1, 2, 9), 3, {"stride": 2, "padding": 1}),
    ((1, 1, 10), 3, {"stride": 1, "dilation": 3}),
]:
    args = ["$0", kernel, given_options]
    cases.add("maxPool1d", args, [floats(*x)], lambda x: F.max_pool1d(x, kernel, **given_options))
for x, kernel, given_options in [
    ((2, 2, 6, 5), 2, {}),
    ((1, 2, 7, 6), [3, 2], {"stride": [2, 1], "padding": [1, 1]}),
    ((1, 1, 7, 7), 3, {"stride": 1, "dilation": 2, "padding": 1}),
]:
    args = ["$0", kernel, given_options]
    cases.add("maxPool2d", args, [floats(*x)], lambda x: F.max_pool2d(x, kernel, **given_options))
ties = given([1, 1, 4, 4], [0, 1, 1, 0, 1, 1, 0, 0, -1, -1, 2, 2, -1, -1, 2, 2])
cases.add("maxPool2d", ["$0", 2], [ties], lambda x: F.max_pool2d(x, 2), "with ties")
for x, kernel, given_options in [
    ((2, 2, 7), 2, {}),
    ((1, 2, 9), 3, {"stride": 2, "padding": 1}),
    ((1, 2, 9), 3, {"stride": 2, "padding": 1, "countIncludePad": False}),
]:
    torch_options = {name.replace("countIncludePad", "count_include_pad"): v for name, v in given_options.items()}
    args = ["$0", kernel, given_options]
    cases.add("avgPool1d", args, [floats(*x)], lambda x: F.avg_pool1d(x, kernel, **torch_options))
for x, kernel, given_options in [
    ((2, 2, 6, 5), 2, {}),
    ((1, 2, 7, 6), [3, 2], {"stride": [2, 1], "padding": [1, 1]}),
    ((1, 2, 7, 6), [3, 2], {"stride": [2, 1], "padding": [1, 1], "countIncludePad": False}),
]:
    torch_options = {name.replace("countIncludePad", "count_include_pad"): v for name, v in given_options.items()}
    args = ["$0", kernel, given_options]
    cases.add("avgPool2d", args, [floats(*x)], lambda x: F.avg_pool2d(x, kernel, **torch_options))
for operator, of in [("adaptiveAvgPool", F.adaptive_avg_pool1d), ("adaptiveMaxPool", F.adaptive_max_pool1d)]:
    for x, size in [((2, 2, 7), 3), ((1, 2, 8), 4), ((1, 2, 5), 1), ((1, 1, 3), 5)]:
        cases.add(f"{operator}1d", ["$0", size], [floats(*x)], lambda x: of(x, size))
for operator, of in [("adaptiveAvgPool", F.adaptive_avg_pool2d), ("adaptiveMaxPool", F.adaptive_max_pool2d)]:
    for x, size in [((2, 2, 7, 5), [3, 2]), ((1, 2, 8, 6), [4, 3]), ((1, 2, 5, 4), 1), ((1, 2, 6, 5), [3, 2])]:
        cases.add(f"{operator}2d", ["$0", size], [floats(*x)], lambda x: of(x, size))

# Attention
def rotary(x, positions=None, base=10000.0, interleaved=False):
    length, dim = x.shape[-2:]
    at = torch.arange(length) if positions is None else positions
    rate = base ** (-2 * torch.arange(dim // 2, dtype=torch.float64) / dim)
    angle = at[:, None].to(torch.float64) * rate
    c, s = angle.cos(), angle.sin()
    a, b = (x[..., 0::2], x[..., 1::2]) if interleaved else (x[..., : dim // 2], x[..., dim // 2 :])
    first, second = a * c - b * s, b * c + a * s
    return torch.stack([first, second], -1).flatten(-2) if interleaved else torch.cat([first, second], -1)


cases.add("rotaryEmbedding", ["$0"], [floats(2, 2, 5, 8)], rotary)
cases.add(
    "rotaryEmbedding",
    ["$0", {"interleaved": True, "base": 500, "positions": "$1"}],
    [floats(3, 6), ints([3], [4, 30, 0])],
    lambda x, p: rotary(x, p, 500.0, True),
)
cases.add(
    "rotaryEmbedding",
    ["$0", {"positions": "$1", "base": 500000}],
    [floats(3, 8), ints([3], [100, 2047, 4095])],
    lambda x, p: rotary(x, p, 500000.0),
    "at far positions",
    tolerance=1e-3,
)


def attention(q, k, v, kept=None, causal=False, window=None, scale=None):
    shared = q.shape[-3] // k.shape[-3]
    k, v = k.repeat_interleave(shared, -3), v.repeat_interleave(shared, -3)
    scores = q @ k.transpose(-1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    query, key = torch.arange(q.shape[-2])[:, None], torch.arange(k.shape[-2])[None]
    all_kept = torch.ones_like(scores, dtype=torch.bool)
    if causal:
        all_kept = all_kept & (key <= query)
    if window:
        all_kept = all_kept & (query - key < window)
    if kept is not None:
        all_kept = all_kept & (kept != 0)
    weights = F.softmax(scores.masked_fill(~all_kept, -1e30), -1)
    return weights.masked_fill(~all_kept, 0) @ v


for q, k, width, given_options in [
    ((2, 3, 4, 5), (2, 3, 4, 5), 5, {}),
    ((1, 2, 5, 4), (1, 2, 5, 4), 3, {"isCausal": True}),
    ((2, 4, 4, 2), (2, 2, 4, 2), 2, {"isCausal": True, "window": 2}),
    ((3, 3, 4), (1, 5, 4), 2, {"scale": 0.3}),
]:
    cases.add(
        "scaledDotProductAttention",
        ["$0", "$1", "$2", given_options],
        [floats(*q, low=-2, high=2), floats(*k, low=-2, high=2), floats(*k[:-1], width)],
        lambda q, k, v: attention(
            q, k, v, None, given_options.get("isCausal", False), given_options.get("window"), given_options.get("scale")
        ),
    )
cases.add(
    "scaledDotProductAttention",
    ["$0", "$1", "$2", {"attnMask": "$3", "isCausal": True}],
    [floats(2, 4, 3, 4), floats(2, 2, 3, 4), floats(2, 2, 3, 4), ints([2, 1, 1, 3], [0, 1, 1, 1, 1, 0])],
    lambda q, k, v, kept: attention(q, k, v, kept, True),
    "padded and causal, one query has no key",
)

# Weights of classes and of positives, to which no gradient flows
for reduction in REDUCTIONS:
    for smoothing, labels in [(0, [1, -100, 4, 0]), (0.2, [2, 3, -100, -100])]:
        cases.add(
            "crossEntropy",
            ["$0", "$1", {"weight": "$2", "labelSmoothing": smoothing, "reduction": reduction}],
            [floats(4, 5, low=-4, high=4), ints([4], labels), floats(5, low=0.1, high=3)],
            lambda x, t, w: F.cross_entropy(x, t, w.detach(), reduction=reduction, label_smoothing=smoothing),
        )
    cases.add(
        "nllLoss",
        ["$0", "$1", {"weight": "$2", "ignoreIndex": 2, "reduction": reduction}],
        [floats(4, 5, low=-4, high=0), ints([4], [1, 2, 4, 0]), floats(5, low=0.1, high=3)],
        lambda x, t, w: F.nll_loss(x, t, w.detach(), ignore_index=2, reduction=reduction),
    )
    cases.add(
        "binaryCrossEntropyWithLogits",
        ["$0", "$1", {"posWeight": "$2", "reduction": reduction}],
        [floats(3, 4, low=-20, high=20), floats(3, 4, low=0, high=1), floats(4, low=0, high=5)],
        lambda x, t, p: F.binary_cross_entropy_with_logits(x, t, pos_weight=p.detach(), reduction=reduction),
    )
cases.add(
    "crossEntropy",
    ["$0", "$1", {"weight": "$2"}],
    [floats(2, 3, 7, low=-4, high=4), ints([2, 3], [1, 6, 0, -100, 3, 3]), floats(7, low=0.1, high=3)],
    lambda x, t, w: F.cross_entropy(classes_second(x), t, w.detach()),
)
cases.add(
    "binaryCrossEntropyWithLogits",
    ["$0", "$1", {"posWeight": 3}],
    [floats(2, 5, low=-3, high=3), given([2, 5], [0, 1, 1, 0, 1, 0, 0, 1, 0, 1])],
    lambda x, t: F.binary_cross_entropy_with_logits(x, t, pos_weight=torch.tensor(3.0)),
)

# Pools whose last windows reach over the end
for x, kernel, given_options in [
    ((2, 2, 7), 2, {}),
    ((1, 2, 8), 3, {"stride": 3, "padding": 1}),
    ((1, 2, 6), 2, {"stride": 4, "padding": 1}),
    ((1, 1, 5), 3, {"stride": 4}),
]:
    args = ["$0", kernel, {"ceilMode": True, **given_options}]
    cases.add("maxPool1d", args, [floats(*x)], lambda x: F.max_pool1d(x, kernel, ceil_mode=True, **given_options))
    for counts in [True, False]:
        args = ["$0", kernel, {"ceilMode": True, "countIncludePad": counts, **given_options}]
        cases.add(
            "avgPool1d",
            args,
            [floats(*x)],
            lambda x: F.avg_pool1d(x, kernel, ceil_mode=True, count_include_pad=counts, **given_options),
        )
for x, kernel, given_options in [
    ((2, 2, 7, 5), 2, {}),
    ((1, 2, 8, 7), [3, 2], {"stride": [2, 3], "padding": [1, 0]}),
]:
    args = ["$0", kernel, {"ceilMode": True, **given_options}]
    cases.add("maxPool2d", args, [floats(*x)], lambda x: F.max_pool2d(x, kernel, ceil_mode=True, **given_options))
    for counts in [True, False]:
        args = ["$0", kernel, {"ceilMode": True, "countIncludePad": counts, **given_options}]
        cases.add(
            "avgPool2d",
            args,
            [floats(*x)],
            lambda x: F.avg_pool2d(x, kernel, ceil_mode=True, count_include_pad=counts, **given_options),
        )

cases.write()
