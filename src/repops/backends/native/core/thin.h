/*
 * Products of few rows. Such a product costs what it takes to read B, so B is read once, where it lies, and clamped
 * on the way. One of few columns is the same product with its operands exchanged.
 */
#ifndef VERDE_THIN_H
#define VERDE_THIN_H
#include "tile.h"

/* Rows of a thin product at most; columns of a task, and the depth for which A is copied. */
#ifndef THIN_ROWS
#define THIN_ROWS 6
#endif
#ifndef THIN_COLUMNS
#define THIN_COLUMNS 1024
#endif
#ifndef THIN_DEPTH
#define THIN_DEPTH 256
#endif
/* Rows of B that are read side by side; vectors of columns whose chains run side by side. */
#define SIDE_ROWS 4
#define SIDE_VECTORS 2
/* Floats of a line of the cache. */
#define LINE 16
#define SIDE_COLUMNS (SIDE_VECTORS * LANES)
_Static_assert(THIN_COLUMNS % SIDE_COLUMNS == 0 && THIN_DEPTH % LANES == 0, "sizes of blocks");

/* The sums of a task, and a block of A in the dot range. Both lie in the first cache. */
typedef struct {
  float sums[THIN_ROWS][THIN_COLUMNS];
  float a[THIN_ROWS][THIN_DEPTH];
  Seen seen;
} Thin;

/* Rows of B are contiguous. They are read to their ends, so that the prefetcher follows. */
INLINE void add_rows(Thin *t, int m, const float *b, int64_t b_depth, int64_t columns, int64_t depth) {
  Seen seen = t->seen;
  for (int64_t p = 0; p < depth; p += SIDE_ROWS) {
    const float *row[SIDE_ROWS];
    float a[THIN_ROWS][SIDE_ROWS];
    UNROLL for (int r = 0; r < SIDE_ROWS; r++) {
      /* After the last row it is read again, times 0: a sum is never -0, so a zero of either sign changes nothing. */
      int64_t at = p + r < depth ? p + r : depth - 1;
      row[r] = b + at * b_depth;
      for (int i = 0; i < m; i++) a[i][r] = p + r < depth ? t->a[i][at] : 0;
    }
    for (int64_t j = 0; j < columns; j += LANES) {
      vf x[SIDE_ROWS];
      UNROLL for (int r = 0; r < SIDE_ROWS; r++) x[r] = dot_range(first_of(*(const vf *)(row[r] + j), columns - j), &seen);
      UNROLL for (int i = 0; i < m; i++) {
        vf sum = *(vf *)(t->sums[i] + j);
        UNROLL for (int r = 0; r < SIDE_ROWS; r++) sum = sum + x[r] * a[i][r];
        *(vf *)(t->sums[i] + j) = sum;
      }
    }
  }
  t->seen = seen;
}

/*
 * Columns of B are contiguous. LANES of them become lanes, transposed in registers. What is read after the end of a
 * column becomes 0.
 */
INLINE void add_columns(Thin *t, int m, const float *b, int64_t b_column, int64_t columns, int64_t depth) {
  Seen seen = t->seen;
  for (int64_t j = 0; j < columns; j += SIDE_COLUMNS) {
    const float *column[SIDE_COLUMNS];
    vf sums[THIN_ROWS][SIDE_VECTORS];
    for (int i = 0; i < SIDE_COLUMNS; i++) column[i] = b + (j + i < columns ? j + i : columns - 1) * b_column;
    UNROLL for (int i = 0; i < m; i++)
      UNROLL for (int g = 0; g < SIDE_VECTORS; g++) sums[i][g] = *(vf *)(t->sums[i] + j + g * LANES);
    /* A line of the cache at a time: columns may lie so that few lines of different ones fit in it. */
    for (int64_t line = 0; line < depth; line += LINE)
      UNROLL for (int g = 0; g < SIDE_VECTORS; g++)
        for (int64_t p = line; p < line + LINE && p < depth; p += LANES) {
          vf x[LANES];
          UNROLL for (int i = 0; i < LANES; i++) x[i] = dot_range(first_of(*(const vf *)(column[g * LANES + i] + p), depth - p), &seen);
          TRANSPOSE(vf, x)
          UNROLL for (int q = 0; q < LANES; q++)
            UNROLL for (int i = 0; i < m; i++) sums[i][g] = sums[i][g] + x[q] * t->a[i][p + q];
        }
    UNROLL for (int i = 0; i < m; i++)
      UNROLL for (int g = 0; g < SIDE_VECTORS; g++) *(vf *)(t->sums[i] + j + g * LANES) = sums[i][g];
  }
  t->seen = seen;
}

/* Functions in which the number of rows is a constant: that of a product, or the next one. */
typedef void Add(Thin *t, const float *b, int64_t stride, int64_t columns, int64_t depth);
#define EACH_THIN(f) f(1) f(2) f(4) f(6)
#define DEFINE_ADD(m) \
  static void add_rows##m(Thin *t, const float *b, int64_t stride, int64_t columns, int64_t depth) { add_rows(t, m, b, stride, columns, depth); } \
  static void add_columns##m(Thin *t, const float *b, int64_t stride, int64_t columns, int64_t depth) { add_columns(t, m, b, stride, columns, depth); }
EACH_THIN(DEFINE_ADD)
#define ADD_OF(m) [m] = { add_rows##m, add_columns##m },
static Add *const adds[][2] = { EACH_THIN(ADD_OF) };

/* Columns of C, THIN_COLUMNS from the i-th block on. Elements of a row of C are c_column apart. */
static void multiply_thin(void *context, int64_t block, int64_t thread) {
  const Product *x = context;
  Thin t;
  int64_t from = block * THIN_COLUMNS, columns = x->n - from < THIN_COLUMNS ? x->n - from : THIN_COLUMNS;
  int along = x->b_column != 1;
  int64_t rows = x->m + (x->m == 3 || x->m == 5);
  memset(t.sums, 0, sizeof t.sums);
  t.seen = (Seen){};
  for (int64_t p = 0; p < x->k; p += THIN_DEPTH) {
    int64_t depth = x->k - p < THIN_DEPTH ? x->k - p : THIN_DEPTH;
    for (int64_t i = 0; i < x->m; i++)
      for (int64_t q = 0; q < depth; q++) {
        vf one = dot_range((vf){ x->a[i * x->a_row + (p + q) * x->a_depth] }, &t.seen);
        t.a[i][q] = one[0];
      }
    for (int64_t i = 0; i < x->m; i++)
      for (int64_t q = depth; q % LANES; q++) t.a[i][q] = 0;
    if (rows > x->m) memset(t.a[x->m], 0, sizeof t.a[0]);
    adds[rows][along](&t, x->b + p * x->b_depth + from * x->b_column, along ? x->b_column : x->b_depth, columns, depth);
  }
  tell(&t.seen, DOT_MOST, x->counter);
  for (int64_t i = 0; i < x->m; i++) {
    float *c = x->c + i * x->c_row + from * x->c_column;
    if (x->c_column == 1) memcpy(c, t.sums[i], 4 * (size_t)columns);
    else for (int64_t j = 0; j < columns; j++) c[j * x->c_column] = t.sums[i][j];
  }
}

/* Whether a product of plain matrices is thin; then its rows are few. One of few columns exchanges its operands. */
static int make_thin(Product *x) {
  if (x->a_view || x->b_view) return 0;
  if (x->m <= THIN_ROWS && (x->b_column == 1 || x->b_depth == 1)) return 1;
  if (x->n > THIN_ROWS || (x->a_row != 1 && x->a_depth != 1)) return 0;
  *x = (Product){ x->n, x->m, x->k, x->b, x->b_column, x->b_depth, x->a, x->a_depth, x->a_row, x->c, x->c_column, x->c_row, x->counter };
  return 1;
}
#endif
