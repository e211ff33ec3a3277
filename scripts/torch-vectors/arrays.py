"""Shapes, products, reductions, sorting, scatters, quantisation, cosine transforms."""

import torch
import torch.nn.functional as F

from frame import Cases, floats, given, ints

cases = Cases("arrays")
add = cases.add

# Shapes.
add("tril", ["$0", -1], [floats(2, 3, 4)], lambda x: torch.tril(x, -1))
add("triu", ["$0", 2], [floats(3, 5)], lambda x: torch.triu(x, 2))
add("tile", ["$0", [2, 1, 3]], [floats(2, 3)], lambda x: torch.tile(x, (2, 1, 3)))
add("tile", ["$0", [2]], [floats(2, 3)], lambda x: torch.tile(x, (2,)))
add("repeat", ["$0", [2, 0]], [floats(2, 3)], lambda x: x.repeat(2, 0))
add("repeat", ["$0", [2, 1, 2]], [floats(2, 3)], lambda x: x.repeat(2, 1, 2))
add("repeatInterleave", ["$0", 3, -1], [floats(2, 3)], lambda x: x.repeat_interleave(3, -1))
add("flip", ["$0", [0, -1]], [floats(2, 3, 2)], lambda x: torch.flip(x, (0, -1)))
add("roll", ["$0", -4, 1], [floats(2, 3)], lambda x: torch.roll(x, -4, 1))
add("constantPad", ["$0", -1, 2, 1, 7.5], [floats(2, 3)], lambda x: F.pad(x, (2, 1), value=7.5))
add("reflectionPad", ["$0", -1, 2, 1], [floats(2, 3)], lambda x: F.pad(x, (2, 1), mode="reflect"))
add("replicationPad", ["$0", -1, 2, 4], [floats(2, 3)], lambda x: F.pad(x, (2, 4), mode="replicate"))
add("circularPad", ["$0", -1, 2, 3], [floats(2, 3, 3)], lambda x: F.pad(x, (2, 3), mode="circular"))
add("split", ["$0", 2, 1], [floats(2, 5)], lambda x: torch.split(x, 2, 1))
add("split", ["$0", [1, 3, 1], -1], [floats(2, 5)], lambda x: torch.split(x, [1, 3, 1], -1))
add("chunk", ["$0", 4], [floats(5, 2)], lambda x: torch.chunk(x, 4))
add("stack", [["$0", "$1"], -1], [floats(2, 3), floats(2, 3)], lambda x, y: torch.stack((x, y), -1))
add("unbind", ["$0", 1], [floats(2, 3)], lambda x: torch.unbind(x, 1))
add("select", ["$0", 1, -2], [floats(2, 3)], lambda x: x.select(1, -2))
add("squeeze", ["$0"], [floats(1, 3, 1, 2)], torch.squeeze)
add("squeeze", ["$0", 1], [floats(1, 3, 1, 2)], lambda x: x.squeeze(1))
add("unsqueeze", ["$0", -2], [floats(2, 3)], lambda x: x.unsqueeze(-2))
add("expand", ["$0", [4, -1, 3]], [floats(2, 1)], lambda x: x.expand(4, -1, 3))
add("permute", ["$0", [2, 0, 1]], [floats(2, 3, 4)], lambda x: x.permute(2, 0, 1))
add("swapaxes", ["$0", 0, -1], [floats(2, 3, 4)], lambda x: x.swapaxes(0, -1))
add("flatten", ["$0", 1, 2], [floats(2, 3, 2, 2)], lambda x: x.flatten(1, 2))
add("diagonal", ["$0", -1], [floats(4, 3)], lambda x: torch.diagonal(x, -1))
add("diagonal", ["$0", 1, 0, 2], [floats(2, 3, 4)], lambda x: torch.diagonal(x, 1, 0, 2))
add("diagonal", ["$0", 9], [floats(2, 3)], lambda x: torch.diagonal(x, 3), "that does not exist")
add("diagEmbed", ["$0", -2], [floats(2, 3)], lambda x: torch.diag_embed(x, -2))
add("meshgrid", [["$0", "$1"]], [floats(2), floats(3)], lambda x, y: torch.meshgrid(x, y, indexing="ij"))
add("oneHot", ["$0", 4], [ints((2, 2), [0, 3, 2, 0])], lambda x: F.one_hot(x, 4))
add("maskedFill", ["$0", "$1", -3], [floats(2, 3), ints((3,), [0, 1, 0])], lambda x, m: x.masked_fill(m != 0, -3))

# Products.
for equation, a, b in [
    ("ij,jk->ik", (3, 4), (4, 5)),
    ("bqhd,bkhd->bhqk", (2, 3, 2, 4), (2, 5, 2, 4)),
    ("ij,ij->", (3, 4), (3, 4)),
    ("i,j", (3,), (4,)),
    ("ji,k", (3, 4), (2,)),
    ("ii,i->i", (3, 3), (3,)),
    ("iij,jkk->ik", (2, 2, 3), (3, 4, 4)),
    ("...ij,...jk->...ik", (2, 1, 3, 4), (5, 4, 2)),
    ("b...d,d->...b", (2, 3, 2, 4), (4,)),
    ("ijk,k->j", (2, 3, 4), (4,)),
]:
    add("einsum", [equation, "$0", "$1"], [floats(*a), floats(*b)], lambda x, y, e=equation: torch.einsum(e, x, y), equation)
for a, b in [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((4, 2, 3), (3,)), ((3,), (2, 3, 2)), ((2, 1, 3, 4), (3, 4, 2))]:
    add("matmul", ["$0", "$1"], [floats(*a), floats(*b)], torch.matmul)
add("bmm", ["$0", "$1"], [floats(3, 2, 4), floats(3, 4, 1)], torch.bmm)
add("outer", ["$0", "$1"], [floats(3), floats(4)], torch.outer)
add("dot", ["$0", "$1"], [floats(33), floats(33)], torch.dot)

# Reductions.
KEEP = {"keepdim": True}
for operator, call in [("sum", torch.sum), ("mean", torch.mean), ("amax", torch.amax), ("amin", torch.amin)]:
    for axes in [[1], [0, 2], [0, 1, 2]]:
        add(operator, ["$0", axes, KEEP], [floats(2, 3, 4)], lambda x, c=call, a=axes: c(x, a, keepdim=True), f"{axes}")
add("amax", ["$0", [1]], [given((2, 4), [1, 2, 2, 0, -1, -1, -1, -3])], lambda x: x.amax(1), "with ties")
add("prod", ["$0", [1]], [floats(2, 3, 4)], lambda x: x.prod(1))
add("prod", ["$0", [-1], KEEP], [given((3, 3), [2, 0, 3, 0, 0, 5, 1, 2, 3])], lambda x: x.prod(-1, keepdim=True), "with zeros")
add("prod", ["$0"], [floats(2, 16)], torch.prod)
for operator, call in [("argmax", torch.argmax), ("argmin", torch.argmin)]:
    add(operator, ["$0", 1], [floats(2, 3, 4)], lambda x, c=call: c(x, 1))
    add(operator, ["$0"], [floats(2, 3)], call)
    add(operator, ["$0", 0, KEEP], [floats(5, 3)], lambda x, c=call: c(x, 0, keepdim=True))
add("any", ["$0", [1]], [ints((3, 2), [0, 0, 0, -1, 2, 3])], lambda x: x.any(1))
add("all", ["$0", [1]], [ints((3, 2), [0, 0, 0, -1, 2, 3])], lambda x: x.all(1))
for operator, call in [("variance", torch.var), ("std", torch.std)]:
    add(operator, ["$0", [1]], [floats(2, 5)], lambda x, c=call: c(x, 1))
    add(
        operator,
        ["$0", [0, 2], {"correction": 0, "keepdim": True}],
        [floats(2, 3, 4)],
        lambda x, c=call: c(x, (0, 2), correction=0, keepdim=True),
    )
    for low, high, what in [(1000, 1000.01, "far from 0"), (-3e25, 3e25, "of great magnitudes"), (1e-25, 2e-25, "of small ones")]:
        # The square of a great magnitude is no binary32.
        if operator == "std" or abs(high) < 1e20:
            add(operator, ["$0", [1]], [floats(2, 9, low=low, high=high)], lambda x, c=call: c(x, 1), what, 1e-5)
for low, high, what in [(-1, 1, ""), (1e20, 3e20, "of great magnitudes"), (1e-30, 2e-30, "of small ones")]:
    add("vectorNorm", ["$0", [1]], [floats(2, 5, low=low, high=high)], lambda x: torch.linalg.vector_norm(x, 2, 1), what)
add("vectorNorm", ["$0", [0], {"order": 1}], [floats(2, 5)], lambda x: torch.linalg.vector_norm(x, 1, 0))
add("vectorNorm", ["$0"], [floats(2, 5)], torch.linalg.vector_norm)
for operator, call in [("cumsum", torch.cumsum), ("cumprod", torch.cumprod)]:
    for axis in [0, 1, -1]:
        add(operator, ["$0", axis], [floats(3, 5, 2)], lambda x, c=call, a=axis: c(x, a), f"along axis {axis}")
add("cumprod", ["$0", 0], [given((6,), [2, 3, 0, 4, 0, 5])], lambda x: x.cumprod(0), "with zeros")
add("cummax", ["$0", 1], [floats(3, 7)], lambda x: torch.cummax(x, 1))
add("cummax", ["$0", 0], [given((7,), [1, 1, 0, 2, 2, 1, 2])], lambda x: torch.cummax(x, 0), "with ties")

# Order.
TIES = [3, 1, 3, 2, 1, 2, 3, 0, 3, 3, 0, 1, 1, 2]
for descending in [False, True]:
    options = {"descending": descending}
    add("sort", ["$0", 1, options], [floats(2, 9, 2)], lambda x, d=descending: torch.sort(x, dim=1, descending=d, stable=True))
    add("sort", ["$0", -1, options], [given((2, 7), TIES)], lambda x, d=descending: torch.sort(x, descending=d, stable=True), "with ties")
    add("argsort", ["$0", 0, options], [ints((14,), TIES)], lambda x, d=descending: torch.argsort(x, dim=0, descending=d, stable=True))
for largest in [False, True]:
    options = {"largest": largest}
    add("topk", ["$0", 3, -1, options], [floats(2, 11)], lambda x, l=largest: torch.topk(x, 3, largest=l))
    add("topk", ["$0", 1, 0, options], [floats(5, 2)], lambda x, l=largest: torch.topk(x, 1, 0, largest=l))
    add("topk", ["$0", 6, 0, options], [floats(6)], lambda x, l=largest: torch.topk(x, 6, 0, largest=l))
add("median", ["$0", 1], [floats(2, 6)], lambda x: torch.median(x, 1))
add("median", ["$0", 0, KEEP], [floats(5, 2)], lambda x: torch.median(x, 0, keepdim=True))
ROW = [-2, -1, -1, 0.5, 3]
for right in [False, True]:
    options = {"right": right}
    add("searchsorted", ["$0", "$1", options], [given((5,), ROW), given((2, 3), [-1, 4, -3, 0.5, 0, 3])],
        lambda x, v, r=right: torch.searchsorted(x, v, right=r))
    add("searchsorted", ["$0", "$1", options], [ints((2, 3), [1, 2, 2, 0, 5, 9]), ints((2, 2), [2, 0, 5, 10])],
        lambda x, v, r=right: torch.searchsorted(x, v, right=r))
add("bincount", ["$0", 6], [ints((7,), [0, 3, 3, 5, 1, 3, 0])], lambda x: torch.bincount(x, minlength=6))
add("bincount", ["$0", 6, "$1"], [ints((5,), [0, 3, 3, 5, 1]), floats(5)], lambda x, w: torch.bincount(x, w.detach(), minlength=6))
add("histc", ["$0", 5, -1, 1], [given((9,), [-1, -0.7, -0.1, 0.1, 0.3, 0.95, 1, 1.2, -1.3])], lambda x: torch.histc(x.detach(), 5, -1, 1))

# Indices.
INDEX = ints((2, 3), [1, 0, 1, 3, 3, 2])
add("takeAlongDim", ["$0", "$1", 1], [floats(2, 4), INDEX], lambda x, i: torch.take_along_dim(x, i, 1))
add("indexSelect", ["$0", 1, "$1"], [floats(2, 4, 2), ints((3,), [3, 0, 3])], lambda x, i: x.index_select(1, i))
add("scatterAdd", ["$0", 1, "$1", "$2"], [floats(2, 4), INDEX, floats(2, 3)], lambda x, i, s: x.scatter_add(1, i, s))
add("indexAdd", ["$0", 1, "$1", "$2"], [floats(2, 4), ints((3,), [3, 0, 3]), floats(2, 3)], lambda x, i, s: x.index_add(1, i, s))
add("scatter", ["$0", 1, "$1", "$2"], [floats(2, 4), ints((2, 2), [1, 0, 3, 2]), floats(2, 2)], lambda x, i, s: x.scatter(1, i, s))
add("segmentSum", ["$0", "$1", 4], [floats(5, 2), ints((5,), [0, 2, 0, 3, 2])],
    lambda x, i: torch.zeros(4, 2).index_add(0, i, x))
add("scatterMean", ["$0", "$1", 4, 1], [floats(2, 3), INDEX],
    lambda x, i: torch.zeros(2, 4).scatter_reduce(1, i, x, "mean", include_self=False))
add("embeddingBag", ["$0", "$1"], [floats(4, 3), ints((2, 2), [3, 0, 1, 1])], lambda t, i: F.embedding_bag(i, t, mode="mean"))
add("embeddingBag", ["$0", "$1", "sum"], [floats(4, 3), ints((2, 2), [3, 0, 1, 1])], lambda t, i: F.embedding_bag(i, t, mode="sum"))

# Quantisation. The scales are powers of two, so that dividing is multiplying by the reciprocal.
STEPS = [-100, -64, -16.25, -1.25, -0.75, -0.25, 0, 0.25, 0.75, 1.25, 15.75, 63.5, 63.75, 64, 100]
for bits, zero in [(8, 0), (8, 5), (4, -3)]:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    add("fakeQuantize", ["$0", "$1", {"bits": bits, "zeroPoint": zero}], [given((15,), STEPS), given((), [0.5])],
        lambda x, s, l=low, h=high, z=zero: torch.fake_quantize_per_tensor_affine(x.float(), 0.5, z, l, h).double())
add("quantize", ["$0", "$1", {"zeroPoint": 5, "signed": False}], [given((15,), STEPS), given((), [0.5])],
    lambda x, s: torch.quantize_per_tensor(x.detach().float(), 0.5, 5, torch.quint8).int_repr().int())


# The orthonormal DCT-II, by the Fourier transform of the mirrored row.
def dct(x):
    n = x.shape[-1]
    spectrum = torch.fft.fft(torch.cat((x, x.flip(-1)), -1))[..., :n]
    k = torch.arange(n)
    y = (spectrum * torch.exp(-1j * torch.pi * k / (2 * n))).real / 2
    return y * torch.where(k == 0, (1 / n) ** 0.5, (2 / n) ** 0.5)


for n in [1, 2, 7, 64]:
    add("dct", ["$0"], [floats(2, n)], dct, tolerance=1e-6)
add("chunkedDct", ["$0", 4], [floats(8, 6)],
    lambda x: dct(dct(x.reshape(2, 4, 2, 3).transpose(1, 2)).transpose(-1, -2)).transpose(-1, -2).reshape(2, 2, 12))

cases.write()
