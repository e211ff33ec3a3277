/*
 * The kernel of matrix products, in an object of its own: the core need not wait until the register tile is chosen.
 */
#include "deal.h"

/* Those of the core. */
static Deal *deal;
static Threads *pool_threads;

#include "product.h"

#define EXPORT __attribute__((visibility("default")))
#define AT(type, parameter) ((type *)(intptr_t)(parameter))

/*
 * a, b, c, m, n, k, strides of a (row, depth), of b (depth, column) and of c (row), scratch, the threads that it is
 * for, counter, batch axes; then of each axis its extent and its strides in a, b and c; then the views of a and of b,
 * without axes for a plain matrix, whose strides are used instead. Strides are in elements. It is not called inside of
 * a deal, whose threads would share its scratch.
 */
static void call_product(const int64_t *p) {
  float *scratch = AT(float, p[11]);
  const View *a = (const View *)(p + 15 + 4 * p[14]);
  const View *b = (const View *)((const int64_t *)a + VIEW_WORDS(a));
  Batch x = {
    { p[3], p[4], p[5], AT(float, p[0]), p[6], p[7], AT(float, p[1]), p[8], p[9], AT(float, p[2]), p[10], 1,
      AT(int64_t, p[13]), IS_PLAIN(a) ? 0 : a, IS_PLAIN(b) ? 0 : b },
    .axes = p[14], .axis = p + 15, .shared = scratch, .own = scratch + SHARED_FLOATS,
  };
  multiply_all(&x, p[12]);
}

/* The kernel, once it is told how work is dealt out. */
EXPORT int64_t verde_product(int64_t own_deal, int64_t own_threads) {
  deal = (Deal *)(intptr_t)own_deal;
  pool_threads = (Threads *)(intptr_t)own_threads;
  return (int64_t)(intptr_t)call_product;
}

EXPORT int64_t verde_product_scratch(int64_t threads) { return PRODUCT_SCRATCH_BYTES(threads); }
