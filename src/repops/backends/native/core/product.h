/*
 * The ordered matrix product: C[i][j] = ((0 + a0·b0) + a1·b1) and so on. Each product and each sum is rounded
 * apart. Operands are clamped to the dot range while they are packed into panels. Between blocks of the depth
 * the sums are stored and loaded again, which is exact.
 */
#include "deal.h"
#include "thin.h"
#include "tile.h"
#include "view.h"

/* A block of B and what is done with it. */
typedef struct {
  const Product *x;
  /* Columns from `j`, depth from `p`. */
  int64_t j, width, p, depth;
  float *panels;
  /* The tasks of a block: blocks of rows by strips of columns. */
  int64_t blocks, strips;
  float *own;
} Block;

static void pack_columns(void *context, int64_t i, int64_t thread) {
  const Block *b = context;
  const Product *x = b->x;
  int64_t from = i * PACKED_COLUMNS, left = b->width - from;
  pack_operand(b->panels + from * b->depth, B_SPACING(b->depth), x->b, x->b_view, b->j + from, x->b_column, b->p, x->b_depth,
               TILE_COLUMNS, left < PACKED_COLUMNS ? left : PACKED_COLUMNS, b->depth, x->counter);
}

/*
 * Whether rows of A are read where they lie, because packing them would take long beside so few columns. They have to
 * be in the dot range as they are. Rows that are apart by a large power of two share few places in a cache.
 */
static int is_direct(const Block *b, int64_t row, int64_t rows) {
  const Product *x = b->x;
  if (x->a_view || x->a_depth != 1 || x->a_row % ROWS_APART == 0 || b->width > DIRECT_COLUMNS) return 0;
  Seen seen = {};
  for (const float *from = x->a + row * x->a_row + b->p; rows; rows--, from += x->a_row)
    for (int64_t q = 0; q < b->depth; q += LANES) dot_range(first_of(*(const vf *)(from + q), b->depth - q), &seen);
  int64_t changed = 0;
  tell(&seen, DOT_MOST, &changed);
  return !changed;
}

/* A tile of h rows at c, where `left` columns are left. */
INLINE void multiply_tile(const Block *b, int64_t h, int direct, const float *panel, const float *from, float *c, int64_t left, float *edge) {
  const Product *x = b->x;
  int first = b->p == 0, narrow = left <= HALF_COLUMNS, columns = narrow ? HALF_COLUMNS : TILE_COLUMNS;
  Tile *tile = tiles[h][direct][narrow];
  if (left >= columns) {
    if (!first) for (int64_t r = 0; r < h; r++) __builtin_prefetch(c + r * x->c_row + TILE_COLUMNS, 1);
    tile(panel, x->a_row, from, c, x->c_row, b->depth, first);
    return;
  }
  if (!first) for (int64_t r = 0; r < h; r++) memcpy(edge + r * TILE_COLUMNS, c + r * x->c_row, 4 * (size_t)left);
  tile(panel, x->a_row, from, edge, TILE_COLUMNS, b->depth, first);
  for (int64_t r = 0; r < h; r++) memcpy(c + r * x->c_row, edge + r * TILE_COLUMNS, 4 * (size_t)left);
}

/* Rows are shared out evenly among tiles, so that no last tile is thin: the first `taller` tiles have one row more. */
static void multiply_rows(void *context, int64_t i, int64_t thread) {
  const Block *b = context;
  const Product *x = b->x;
  float *panels = b->own + thread * OWN_FLOATS, *edge = panels + A_FLOATS;
  int64_t block = i / b->strips, strip = i % b->strips, spacing = A_SPACING(b->depth);
  int64_t all = CEIL(x->m, TILE_ROWS), height = x->m / all, taller = x->m % all;
  int64_t begin = all * block / b->blocks, end = all * (block + 1) / b->blocks;
  int64_t tall = begin > taller ? begin : end < taller ? end : taller;
  int64_t row = begin * height + (begin < taller ? begin : taller);
  int64_t tall_rows = (tall - begin) * (height + 1), low_rows = (end - tall) * height;
  int direct = is_direct(b, row, tall_rows + low_rows);
  if (!direct) {
    pack_operand(panels, spacing, x->a, x->a_view, row, x->a_row, b->p, x->a_depth, height + 1, tall_rows, b->depth, x->counter);
    pack_operand(panels + (tall - begin) * spacing, spacing, x->a, x->a_view, row + tall_rows, x->a_row, b->p, x->a_depth, height, low_rows, b->depth, x->counter);
  }
  int64_t columns = CEIL(b->width, TILE_COLUMNS);
  int64_t stop = columns * (strip + 1) / b->strips;
  for (int64_t g = columns * strip / b->strips, next; g < stop; g = next) {
    next = stop - g < NEAR_PANELS ? stop : g + NEAR_PANELS;
    const float *panel = direct ? x->a + row * x->a_row + b->p : panels;
    float *c = x->c + row * x->c_row + b->j;
    for (int64_t t = begin; t < end; t++) {
      int64_t h = height + (t < tall);
      for (int64_t q = g; q < next; q++)
        multiply_tile(b, h, direct, panel, b->panels + q * B_SPACING(b->depth), c + q * TILE_COLUMNS, b->width - q * TILE_COLUMNS, edge);
      panel += direct ? h * x->a_row : spacing;
      c += h * x->c_row;
    }
  }
}

/*
 * @param panels for blocks of B of this many columns
 * @param own of the threads; where there is one thread, of the calling one
 */
static void multiply(const Product *x, float *panels, int64_t columns, float *own, int64_t threads) {
  Product thin = *x;
  if (x->k == 0) {
    for (int64_t i = 0; i < x->m; i++) memset(x->c + i * x->c_row, 0, 4 * (size_t)x->n);
    return;
  }
  if (make_thin(&thin)) {
    int64_t tasks = CEIL(thin.n, THIN_COLUMNS);
    if (threads < 2) for (int64_t i = 0; i < tasks; i++) multiply_thin(&thin, i, 0);
    else deal(tasks, multiply_thin, &thin);
    return;
  }
  int64_t depths = CEIL(x->k, DEPTH_BLOCK), step = CEIL(x->k, depths);
  int64_t widths = CEIL(x->n, columns), wide = CEIL(CEIL(x->n, widths), TILE_COLUMNS) * TILE_COLUMNS;
  Block b = { .x = x, .panels = panels, .own = own, .blocks = CEIL(CEIL(x->m, TILE_ROWS), ROW_TILES) };
  for (b.j = 0; b.j < x->n; b.j += wide)
    for (b.p = 0; b.p < x->k; b.p += step) {
      b.width = x->n - b.j < wide ? x->n - b.j : wide;
      b.depth = x->k - b.p < step ? x->k - b.p : step;
      int64_t strips = CEIL(TASKS * threads, b.blocks), most = b.width / LEAST_COLUMNS;
      b.strips = threads < 2 || most < 1 ? 1 : strips < most ? strips : most;
      int64_t packs = CEIL(b.width, PACKED_COLUMNS), tasks = b.blocks * b.strips;
      if (threads < 2) {
        for (int64_t i = 0; i < packs; i++) pack_columns(&b, i, 0);
        for (int64_t i = 0; i < tasks; i++) multiply_rows(&b, i, 0);
      } else {
        deal(packs, pack_columns, &b);
        deal(tasks, multiply_rows, &b);
      }
    }
}

/* A product for each index of the batch axes. Of each axis: its extent, and its strides in a, b and c. */
typedef struct {
  Product first;
  int64_t axes, batches, chunk;
  const int64_t *axis;
  float *shared, *own;
} Batch;

static Product product_at(const Batch *x, int64_t index) {
  Product at = x->first;
  for (int64_t i = x->axes - 1; i >= 0; i--) {
    const int64_t *axis = x->axis + 4 * i;
    int64_t place = index % axis[0];
    index /= axis[0];
    at.a += place * axis[1];
    at.b += place * axis[2];
    at.c += place * axis[3];
  }
  return at;
}

/* A chunk of products by one thread. */
static void multiply_whole(void *context, int64_t i, int64_t thread) {
  const Batch *x = context;
  float *own = x->own + thread * OWN_FLOATS;
  int64_t end = (i + 1) * x->chunk < x->batches ? (i + 1) * x->chunk : x->batches;
  for (int64_t n = i * x->chunk; n < end; n++) {
    Product at = product_at(x, n);
    multiply(&at, own + A_FLOATS + EDGE_FLOATS, OWN_COLUMNS, own, 1);
  }
}

/*
 * Products of one batch.
 * @param areas threads for which there is scratch memory: SHARED_FLOATS, and OWN_FLOATS for each
 */
static void multiply_all(Batch *x, int64_t areas) {
  int64_t threads = pool_threads() <= areas ? pool_threads() : 1;
  double work = (double)x->first.m * (double)x->first.n * (double)(x->first.k);
  x->batches = 1;
  for (int64_t i = 0; i < x->axes; i++) x->batches *= x->axis[4 * i];
  if (work * (double)x->batches < LEAST_WORK) threads = 1;
  if (threads > 1 && (work < LEAST_WORK || x->batches >= TASKS * threads)) {
    /* Chunks are large enough to be worth a task, and enough for all threads. */
    double least = LEAST_CHUNK / (work + 1);
    int64_t most = CEIL(x->batches, TASKS * threads);
    x->chunk = least < 1 ? 1 : least < (double)most ? (int64_t)least : most;
    deal(CEIL(x->batches, x->chunk), multiply_whole, x);
    return;
  }
  for (int64_t n = 0; n < x->batches; n++) {
    Product at = product_at(x, n);
    multiply(&at, x->shared, COLUMN_BLOCK, x->own, threads);
  }
}
