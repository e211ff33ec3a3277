/*
 * The innermost loop of matrix products: a register tile of h rows and n vectors of C, and its way through the depth.
 */
#ifndef VERDE_MICROKERNEL_H
#define VERDE_MICROKERNEL_H
#include "vector.h"

/* Rows of A that one pointer reaches, by multiples of the stride that an address may have. */
#define REACH 3

/*
 * a: its panel, in which each step of the depth holds h elements; or else its rows where they lie, `a_row` elements
 * apart. b: a panel whose steps are `columns` elements apart. first: sums begin with 0, and not with what c holds.
 */
#define TILE_ARGUMENTS (const float *restrict a, int64_t a_row, const float *restrict b, float *restrict c, int64_t c_row, int64_t k, int first)
typedef void Tile TILE_ARGUMENTS;

/* How elements of A are read: the pointers, one for every so many rows; element i; the next step. */
#define IN_PANEL_POINTERS(h) const float *at[1] = { a };
#define IN_PANEL_ELEMENT(i) at[0][i]
#define IN_PANEL_NEXT(h) at[0] += h;
/* A compiler that makes a pointer for each row has too few registers for them, so it is not told what they have in common. */
#define IN_ROWS_POINTERS(h) const float *at[(h + REACH - 1) / REACH]; \
  UNROLL for (int g = 0; g < (h + REACH - 1) / REACH; g++) { at[g] = a + g * REACH * a_row; __asm__("" : "+r"(at[g])); }
#define IN_ROWS_ELEMENT(i) at[(i) / REACH][(i) % REACH * a_row]
#define IN_ROWS_NEXT(h) UNROLL for (int g = 0; g < (h + REACH - 1) / REACH; g++) { at[g]++; __asm__("" : "+r"(at[g])); }

#define DEFINE_TILE(name, type, h, n, columns, from) static void name TILE_ARGUMENTS { \
  enum { WIDTH = sizeof(type) / 4 }; \
  type sums[h][n]; \
  from##_POINTERS(h) \
  UNROLL for (int i = 0; i < h; i++) UNROLL for (int j = 0; j < n; j++) \
    sums[i][j] = first ? (type){} : *(type *)(c + i * c_row + j * WIDTH); \
  for (; k; k--, b += columns) { \
    type x[n]; \
    UNROLL for (int j = 0; j < n; j++) x[j] = *(const type *)(b + j * WIDTH); \
    UNROLL for (int i = 0; i < h; i++) UNROLL for (int j = 0; j < n; j++) sums[i][j] = sums[i][j] + x[j] * from##_ELEMENT(i); \
    from##_NEXT(h) \
  } \
  UNROLL for (int i = 0; i < h; i++) UNROLL for (int j = 0; j < n; j++) *(type *)(c + i * c_row + j * WIDTH) = sums[i][j]; \
}
#endif
