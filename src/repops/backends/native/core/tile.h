/*
 * What matrix products are made of: sizes of blocks, panels of operands, and the register tile.
 */
#ifndef VERDE_TILE_H
#define VERDE_TILE_H
#include "microkernel.h"

/*
 * The register tile: rows by vectors. AVX-512 and NEON have 32 registers, the others 16. A few are timed on the machine,
 * and the fastest one is named here (tile.ts). No size changes a bit.
 */
#ifndef TILE_ROWS
#if LANES == 16
#define TILE_ROWS 14
#define TILE_VECTORS 1
#elif LANES == 8
#define TILE_ROWS 6
#define TILE_VECTORS 2
#else
#define TILE_ROWS 5
#define TILE_VECTORS 2
#endif
#endif
#define TILE_COLUMNS (TILE_VECTORS * LANES)
/* What half of a tile's columns is made of. */
#if TILE_VECTORS == 1
#define HALF_VECTORS 1
typedef float half OF_LANES(LANES / 2);
#else
#define HALF_VECTORS (TILE_VECTORS / 2)
typedef vf half;
#endif
#define HALF_COLUMNS (HALF_VECTORS * (int)(sizeof(half) / 4))

/*
 * A panel of A, this deep, stays in the first cache while it meets NEAR_PANELS panels of B; these and a block of A
 * stay in the second, and a block of B, this wide, in the third.
 */
#ifndef DEPTH_BLOCK
#define DEPTH_BLOCK 256
#endif
#ifndef ROW_TILES
#define ROW_TILES 24
#endif
#ifndef NEAR_PANELS
#define NEAR_PANELS 4
#endif
#ifndef COLUMN_BLOCK
#define COLUMN_BLOCK 2048
#endif
/* Panels of B that are packed in a task, and columns of C that a task has at least. */
#ifndef PACKED_PANELS
#define PACKED_PANELS 8
#endif
#define PACKED_COLUMNS (PACKED_PANELS * TILE_COLUMNS)
#ifndef LEAST_COLUMNS
#define LEAST_COLUMNS 256
#endif
/* Tasks for a thread, so that all end at about the same time. */
#define TASKS 4
/* Columns beside which rows of A are read where they lie, and how far apart they must not be. */
#ifndef DIRECT_COLUMNS
#define DIRECT_COLUMNS 512
#endif
#define ROWS_APART 512
/* Below this many multiplications, all is done by one thread, or one task has at least as many. */
#ifndef LEAST_WORK
#define LEAST_WORK 2e6
#endif
#ifndef LEAST_CHUNK
#define LEAST_CHUNK 1e5
#endif

#define CEIL(x, y) (((x) + (y) - 1) / (y))
/* From a panel to the next. Vectors are written a little past the end of a panel of A. */
#define A_SPACING(depth) (TILE_ROWS * (depth) + LANES)
#define B_SPACING(depth) (TILE_COLUMNS * (depth))
#define A_FLOATS (CEIL(ROW_TILES * A_SPACING(DEPTH_BLOCK), 16) * 16)
#define B_FLOATS(columns) (CEIL(columns, TILE_COLUMNS) * B_SPACING(DEPTH_BLOCK))
#define EDGE_FLOATS (CEIL(TILE_ROWS * TILE_COLUMNS, 16) * 16)
/* Scratch memory, in whole pages: what threads share, then of each its own, with a block of B for whole products. */
#ifndef OWN_COLUMNS
#define OWN_COLUMNS 512
#endif
#define SHARED_FLOATS (CEIL(B_FLOATS(COLUMN_BLOCK), 1024) * 1024)
#define OWN_FLOATS (CEIL(A_FLOATS + EDGE_FLOATS + B_FLOATS(OWN_COLUMNS), 1024) * 1024)
#define PRODUCT_SCRATCH_BYTES(threads) (4 * (SHARED_FLOATS + (threads) * OWN_FLOATS))

/* Of an operand that is no plain matrix (view.h). */
typedef struct View View;

/* Strides are in elements. */
typedef struct {
  int64_t m, n, k;
  const float *a;
  int64_t a_row, a_depth;
  const float *b;
  int64_t b_depth, b_column;
  float *c;
  int64_t c_row, c_column; /* c_column is 1, but for thin products */
  int64_t *counter; /* where is told what the dot range has changed */
  const View *a_view, *b_view; /* instead of strides; 0 for plain matrices */
} Product;

/*
 * Packs panels of `width` lanes each, `spacing` apart: to[q·width + t] = from[t·lane + q·depth] for `have` lanes
 * in all; further lanes hold anything. Writes up to LANES floats after the end of a panel, and reads as many as a
 * panel is wide after an operand's last element.
 */
static void pack(float *to, int64_t spacing, const float *from, int64_t lane, int64_t depth, int width, int64_t have,
                 int64_t k, int64_t *counter) {
  Seen seen = {};
  if (lane == 1) {
    /* All panels side by side, along the memory. What a vector leaves after its row is overwritten afterwards. */
    for (int64_t q = 0; q < k; q++, from += depth, to += width) {
      const float *row = from;
      float *at = to;
      for (int64_t left = have; left > 0; left -= width, row += width, at += spacing)
        for (int t = 0; t < width; t += LANES) *(vf *)(at + t) = dot_range(first_of(*(const vf *)(row + t), left - t), &seen);
    }
    return tell(&seen, DOT_MOST, counter);
  }
  for (; have > 0; have -= width, from += width * lane, to += spacing)
    /* Downward, for the same reason. */
    for (int t = (width - 1) / LANES * LANES; t >= 0; t -= LANES) {
      const float *row[LANES];
      int live = have < width ? (int)have : width;
      int64_t q = 0;
      for (int i = 0; i < LANES; i++) row[i] = from + (t + i < live ? t + i : live - 1) * lane;
      if (depth == 1)
        for (; q + LANES <= k; q += LANES) {
          vf r[LANES];
          UNROLL for (int i = 0; i < LANES; i++) r[i] = dot_range(*(const vf *)(row[i] + q), &seen);
          TRANSPOSE(vf, r)
          UNROLL for (int i = 0; i < LANES; i++) *(vf *)(to + (q + i) * width + t) = r[i];
        }
      for (; q < k; q++) {
        vf x = {};
        for (int i = 0; i < LANES; i++) x[i] = row[i][q * depth];
        x = dot_range(x, &seen);
        for (int i = 0; i < LANES && t + i < width; i++) to[q * width + t + i] = x[i];
      }
    }
  tell(&seen, DOT_MOST, counter);
}

/* Tiles of each height: of whole and of half panels of B, and of A in its panel or where it lies. */
#define DEFINE_TILES(h) \
  DEFINE_TILE(full##h, vf, h, TILE_VECTORS, TILE_COLUMNS, IN_PANEL) \
  DEFINE_TILE(half##h, half, h, HALF_VECTORS, TILE_COLUMNS, IN_PANEL) \
  DEFINE_TILE(full_rows##h, vf, h, TILE_VECTORS, TILE_COLUMNS, IN_ROWS) \
  DEFINE_TILE(half_rows##h, half, h, HALF_VECTORS, TILE_COLUMNS, IN_ROWS)
#define TILES_OF(h) { { full##h, half##h }, { full_rows##h, half_rows##h } },
#define UP_TO_6(f) f(1) f(2) f(3) f(4) f(5) f(6)
#if TILE_ROWS <= 6
#define EACH_HEIGHT(f) UP_TO_6(f)
#elif TILE_ROWS <= 8
#define EACH_HEIGHT(f) UP_TO_6(f) f(7) f(8)
#elif TILE_ROWS <= 12
#define EACH_HEIGHT(f) UP_TO_6(f) f(7) f(8) f(9) f(10) f(11) f(12)
#else
#define EACH_HEIGHT(f) UP_TO_6(f) f(7) f(8) f(9) f(10) f(11) f(12) f(13) f(14)
#endif
EACH_HEIGHT(DEFINE_TILES)
static Tile *const tiles[][2][2] = { { { 0 } }, EACH_HEIGHT(TILES_OF) };
#endif
