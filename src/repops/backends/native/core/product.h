/*
 * The ordered matrix product: C[i][j] = ((0 + a0·b0) + a1·b1) and so on. Each product and each sum is rounded
 * apart. Operands are clamped to the dot range while they are packed into panels. Between blocks of the depth
 * the sums are stored and loaded again, which is exact.
 */
#include "vector.h"

/* The register tile: rows by vectors. AVX-512 and NEON have 32 registers, the others 16. */
#if LANES == 16
#define TILE_ROWS 14
#define TILE_VECTORS 1
typedef float half OF_LANES(8);
#elif LANES == 8
#define TILE_ROWS 6
#define TILE_VECTORS 2
typedef vf half;
#else
#define TILE_ROWS 5
#define TILE_VECTORS 2
typedef vf half;
#endif
#define TILE_COLUMNS (TILE_VECTORS * LANES)
/* A panel of A, this deep, stays in the first cache; a block of B, this wide, in the second and third. */
#define DEPTH_BLOCK 512
#define COLUMN_BLOCK 2048

#define A_FLOATS ((TILE_ROWS + 1) * DEPTH_BLOCK + LANES)
#define B_FLOATS ((COLUMN_BLOCK + TILE_COLUMNS) * DEPTH_BLOCK + LANES)
#define EDGE_FLOATS (TILE_ROWS * TILE_COLUMNS)
#define PRODUCT_SCRATCH_BYTES (4 * (A_FLOATS + B_FLOATS + EDGE_FLOATS))

/* Strides are in elements. Rows of C are contiguous and `c_row` apart. */
typedef struct {
  int64_t m, n, k;
  const float *a;
  int64_t a_row, a_depth;
  const float *b;
  int64_t b_depth, b_column;
  float *c;
  int64_t c_row;
} Product;

/*
 * to[q·lanes + t] = from[t·lane + q·depth] for t < have; further lanes hold anything. Writes up to LANES floats
 * after the end of `to`, and reads as many after an operand's last element.
 */
static void pack(float *to, const float *from, int64_t lane, int64_t depth, int lanes, int have, int64_t k) {
  /* Downward: what a vector leaves after its row is overwritten afterwards. */
  for (int t = (lanes - 1) / LANES * LANES; t >= 0; t -= LANES) {
    const float *row[LANES];
    int live = have - t < 1 ? 1 : have - t < LANES ? have - t : LANES;
    int width = lanes - t < LANES ? lanes - t : LANES;
    int64_t q = 0;
    for (int i = 0; i < LANES; i++) row[i] = from + (t < have ? t + (i < live ? i : live - 1) : 0) * lane;
    if (lane == 1 && t < have)
      for (; q < k - (live < LANES); q++) *(vf *)(to + q * lanes + t) = dot_range(*(const vf *)(row[0] + q * depth));
    else if (depth == 1)
      for (; q + LANES <= k; q += LANES) {
        vf r[LANES];
        UNROLL for (int i = 0; i < LANES; i++) r[i] = dot_range(*(const vf *)(row[i] + q));
        TRANSPOSE(vf, r)
        UNROLL for (int i = 0; i < LANES; i++) *(vf *)(to + (q + i) * lanes + t) = r[i];
      }
    for (; q < k; q++) {
      vf x = {};
      for (int i = 0; i < LANES; i++) x[i] = row[i][q * depth];
      x = dot_range(x);
      for (int i = 0; i < width; i++) to[q * lanes + t + i] = x[i];
    }
  }
}

/* A tile of h rows and n vectors. The panel of A holds h rows, that of B TILE_COLUMNS columns. */
#define TILE_ARGUMENTS (const float *restrict a, const float *restrict b, float *restrict c, int64_t c_row, int64_t k, int first)
typedef void Tile TILE_ARGUMENTS;
#define DEFINE_TILE(name, type, h, n) static void name TILE_ARGUMENTS { \
  enum { WIDTH = sizeof(type) / 4 }; \
  type sums[h][n]; \
  UNROLL for (int i = 0; i < h; i++) UNROLL for (int j = 0; j < n; j++) \
    sums[i][j] = first ? (type){} : *(type *)(c + i * c_row + j * WIDTH); \
  for (; k; k--, a += h, b += TILE_COLUMNS) { \
    type x[n]; \
    UNROLL for (int j = 0; j < n; j++) x[j] = *(const type *)(b + j * WIDTH); \
    UNROLL for (int i = 0; i < h; i++) UNROLL for (int j = 0; j < n; j++) sums[i][j] = sums[i][j] + x[j] * a[i]; \
  } \
  UNROLL for (int i = 0; i < h; i++) UNROLL for (int j = 0; j < n; j++) *(type *)(c + i * c_row + j * WIDTH) = sums[i][j]; \
}
#define DEFINE_TILES(h) DEFINE_TILE(full##h, vf, h, TILE_VECTORS) DEFINE_TILE(half##h, half, h, 1)
#define TILES_OF(h) { full##h, half##h },
#if TILE_ROWS == 14
#define EACH_HEIGHT(f) f(1) f(2) f(3) f(4) f(5) f(6) f(7) f(8) f(9) f(10) f(11) f(12) f(13) f(14)
#elif TILE_ROWS == 6
#define EACH_HEIGHT(f) f(1) f(2) f(3) f(4) f(5) f(6)
#else
#define EACH_HEIGHT(f) f(1) f(2) f(3) f(4) f(5)
#endif
EACH_HEIGHT(DEFINE_TILES)
static Tile *const tiles[][2] = { { 0, 0 }, EACH_HEIGHT(TILES_OF) };

/* All rows of C by a block of B that is packed: columns from `j`, depth from `p`. */
static void multiply_rows(const Product *x, const float *panels, int64_t j, int64_t width, int64_t p, int64_t depth,
                          float *panel, float *edge) {
  int64_t left = (x->m + TILE_ROWS - 1) / TILE_ROWS;
  for (int64_t i = 0, h; i < x->m; i += h, left--) {
    h = (x->m - i + left - 1) / left; /* rows are shared out evenly, so that no last tile is thin */
    pack(panel, x->a + i * x->a_row + p * x->a_depth, x->a_row, x->a_depth, (int)h, (int)h, depth);
    for (int64_t q = 0; q < width; q += TILE_COLUMNS) {
      int64_t w = width - q < TILE_COLUMNS ? width - q : TILE_COLUMNS;
      int narrow = w <= TILE_COLUMNS / 2, columns = narrow ? TILE_COLUMNS / 2 : TILE_COLUMNS;
      const float *from = panels + q * depth;
      float *c = x->c + i * x->c_row + j + q;
      if (w == columns) {
        tiles[h][narrow](panel, from, c, x->c_row, depth, p == 0);
        continue;
      }
      if (p) for (int64_t r = 0; r < h; r++) memcpy(edge + r * TILE_COLUMNS, c + r * x->c_row, 4 * (size_t)w);
      tiles[h][narrow](panel, from, edge, TILE_COLUMNS, depth, p == 0);
      for (int64_t r = 0; r < h; r++) memcpy(c + r * x->c_row, edge + r * TILE_COLUMNS, 4 * (size_t)w);
    }
  }
}

/* @param scratch PRODUCT_SCRATCH_BYTES */
static void multiply(const Product *x, float *scratch) {
  float *panel = scratch, *edge = scratch + A_FLOATS, *panels = edge + EDGE_FLOATS;
  if (x->k == 0) {
    for (int64_t i = 0; i < x->m; i++) memset(x->c + i * x->c_row, 0, 4 * (size_t)x->n);
    return;
  }
  int64_t blocks = (x->k + DEPTH_BLOCK - 1) / DEPTH_BLOCK, step = (x->k + blocks - 1) / blocks;
  for (int64_t j = 0; j < x->n; j += COLUMN_BLOCK)
    for (int64_t p = 0; p < x->k; p += step) {
      int64_t width = x->n - j < COLUMN_BLOCK ? x->n - j : COLUMN_BLOCK, depth = x->k - p < step ? x->k - p : step;
      for (int64_t q = 0; q < width; q += TILE_COLUMNS)
        pack(panels + q * depth, x->b + p * x->b_depth + (j + q) * x->b_column, x->b_column, x->b_depth, TILE_COLUMNS,
             width - q < TILE_COLUMNS ? (int)(width - q) : TILE_COLUMNS, depth);
      multiply_rows(x, panels, j, width, p, depth, panel, edge);
    }
}
