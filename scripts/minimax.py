"""Minimax fits of the polynomials in src/repops/functions, with mpmath and numpy.

    python3 scripts/minimax.py [NAME]

Remez exchange on a grid; then coefficients are rounded to binary32 one after the other, the lowest power first, and the
rest is fitted again each time. Prints 2^ of the weighted error before and after the rounding, and the coefficients,
highest power first, as the programs list them. Older coefficients (exp, log, erf, sine, cosine) come from an earlier
script of the same method.
"""
import sys

import numpy as np
from mpmath import mp, mpf
import mpmath as m
mp.prec = 120

def remez(f, w, powers, lo, hi, npts=600, iters=25):
    """Coefficients c minimising max |w(x) (sum c_k x^p_k - f(x))| on a grid."""
    n = len(powers)
    xs = [(mpf(lo)+mpf(hi))/2 + (mpf(hi)-mpf(lo))/2*m.cos(m.pi*(npts-1-i)/(npts-1)) for i in range(npts)]
    F = [f(x) for x in xs]; W = [w(x) for x in xs]
    B = [[x**p for p in powers] for x in xs]
    idx = [round(i*(npts-1)/n) for i in range(n+1)]
    best=None
    for it in range(iters):
        A = m.matrix(n+1, n+1); b = m.matrix(n+1, 1)
        for r, i in enumerate(idx):
            for c in range(n): A[r, c] = B[i][c]
            A[r, n] = (-1)**r / W[i]
            b[r] = F[i]
        s = m.lu_solve(A, b)
        c = [s[k] for k in range(n)]
        e = [W[i]*(sum(ck*bk for ck, bk in zip(c, B[i])) - F[i]) for i in range(npts)]
        mx = max(abs(v) for v in e)
        if best is None or mx < best[0]: best=(mx, c)
        # exchange: local extrema by sign runs
        runs = []; start = 0
        for i in range(1, npts+1):
            if i == npts or (e[i] > 0) != (e[start] > 0):
                j = max(range(start, i), key=lambda k: abs(e[k])); runs.append(j); start = i
        if len(runs) < n+1: break
        while len(runs) > n+1:
            if abs(e[runs[0]]) < abs(e[runs[-1]]): runs.pop(0)
            else: runs.pop()
        if runs == idx: break
        idx = runs
    return best

def f32(x): return float(np.float32(float(x)))

def fit(f, w, powers, lo, hi, fixed=None, quiet=False, order=None):
    """Rounds coefficients to binary32, first power first, refitting the rest each time."""
    fixed = dict(fixed or {})
    left = [p for p in powers if p not in fixed]
    first = None
    while left:
        g = lambda x: f(x) - sum(mpf(v)*x**p for p, v in fixed.items())
        err, c = remez(g, w, left, lo, hi)
        if first is None: first = err
        fixed[left[0]] = f32(c[0]); left = left[1:]
    xs = [(mpf(lo)+mpf(hi))/2 + (mpf(hi)-mpf(lo))/2*m.cos(m.pi*i/1999) for i in range(2000)]
    err = max(abs(w(x)*(sum(mpf(v)*x**p for p, v in fixed.items()) - f(x))) for x in xs)
    out = [fixed[p] for p in sorted(fixed, reverse=True)]
    if not quiet: print('ideal 2^%.2f rounded 2^%.2f' % (m.log(first, 2), m.log(err, 2)), [np.format_float_positional(np.float32(v), unique=True) if abs(v)>1e-3 else repr(np.float32(v)) for v in out])
    return out, err


def share(a):
    """Phi(-a)*e^(a^2/2)"""
    return m.erfc(a / m.sqrt(2)) / 2 * m.exp(a * a / 2)


def odd(f):
    """(f(x)/x - 1)/x^2 in x^2, and the weight that makes its error a relative one of f."""
    return (lambda z: (f(m.sqrt(z)) / m.sqrt(z) - 1) / z, lambda z: z * m.sqrt(z) / f(m.sqrt(z)))


def relative(f):
    return f, lambda x: 1 / f(x)


CENTRE = mpf("0.96484375")
SLOPE = 2 / m.log(2)
FITS = {
    "tanh": (*odd(m.tanh), 7, 1e-4, 0.9**2 * 1.001, None),
    "atan": (*odd(m.atan), 6, 1e-4, 0.6**2 * 1.001, None),
    "expm1": (lambda r: (m.exp(r) - 1 - r) / r**2, lambda r: r * r / m.expm1(r), 6, -0.2845, 0.4115, {0: 0.5}),
    "log2": (
        lambda z: (m.log((1 + m.sqrt(z)) / (1 - m.sqrt(z)), 2) / m.sqrt(z) - SLOPE) / z,
        lambda z: z, 3, 1e-5, 0.0905**2, None,
    ),
    "gelu, near": (*relative(lambda w: share(3 * w / (1 - w))), 6, 0, 0.34375 / 3.34375, {0: 0.5}),
    "gelu, middle": (
        *relative(lambda z: (lambda a: a * share(a))((CENTRE + 3 * z) / (1 - z))),
        8, (0.34375 - CENTRE) / mpf(3.34375), (3.25 - CENTRE) / mpf(6.25), None,
    ),
    "gelu, far": (*relative(lambda w: share(1 / w) / w), 8, 1 / mpf(13.55), 1 / mpf(3.25), None),
}
for name, (function, weight, count, low, high, fixed) in FITS.items():
    if len(sys.argv) < 2 or name.startswith(sys.argv[1]):
        print(name)
        fit(function, weight, list(range(count)), low, high, fixed)
