/*
 * Operands that are no plain matrices: their lanes or their depth have several axes, of which the last one is the
 * fastest, or bounds, outside of which they have a fill value. Packing makes plain panels of them.
 */
#ifndef VERDE_VIEW_H
#define VERDE_VIEW_H
#include "tile.h"

/* Strides are in elements; the operand is read at places from `from` to `to` - 1. */
typedef struct { int64_t extent, stride, from, to; } ViewAxis;
/* axis: those of the lanes, then those of the depth. */
struct View { int64_t fill, lanes, depths; ViewAxis axis[]; };

#define IS_PLAIN(view) ((view)->lanes + (view)->depths == 0)
#define VIEW_WORDS(view) (3 + 4 * ((view)->lanes + (view)->depths))

/* Where nothing is read. */
#define NOWHERE INT64_MIN
#define PANEL_LANES (CEIL(TILE_ROWS > TILE_COLUMNS ? TILE_ROWS : TILE_COLUMNS, LANES) * LANES)

/* The offsets of `count` places from number `index` on. */
static void locate(const ViewAxis *axis, int64_t axes, int64_t index, int64_t count, int64_t *offsets) {
  int64_t at[8], offset = 0, outside = 0;
#define IS_OUTSIDE(i) (at[i] < axis[i].from || at[i] >= axis[i].to)
  for (int64_t i = axes - 1; i >= 0; i--) {
    at[i] = index % axis[i].extent;
    index /= axis[i].extent;
    offset += at[i] * axis[i].stride;
    outside += IS_OUTSIDE(i);
  }
  for (int64_t n = 0; n < count; n++) {
    offsets[n] = outside ? NOWHERE : offset;
    for (int64_t i = axes - 1; i >= 0; i--) {
      outside -= IS_OUTSIDE(i);
      int last = ++at[i] == axis[i].extent;
      offset += axis[i].stride;
      if (last) {
        offset -= axis[i].extent * axis[i].stride;
        at[i] = 0;
      }
      outside += IS_OUTSIDE(i);
      if (!last) break;
    }
  }
}

/* As `pack`, from lane number `lane` and depth number `depth` on. k is DEPTH_BLOCK at most. */
static void pack_view(float *to, int64_t spacing, const float *from, const View *view, int64_t lane, int64_t depth,
                      int width, int64_t have, int64_t k, int64_t *counter) {
  int64_t depths[DEPTH_BLOCK], lanes[PANEL_LANES];
  if (have <= 0) return;
  Seen seen = {};
  vf fill = FBITS(view->fill);
  locate(view->axis + view->lanes, view->depths, depth, k, depths);
  int everywhere = 1;
  for (int64_t q = 0; q < k; q++) everywhere &= depths[q] != NOWHERE;
  for (; have > 0; have -= width, lane += width, to += spacing) {
    int64_t live = have < width ? have : width;
    locate(view->axis, view->lanes, lane, live, lanes);
    /* Lanes that there are not repeat the first one. */
    for (int64_t i = live; i < PANEL_LANES; i++) lanes[i] = lanes[0];
    for (int t = (width - 1) / LANES * LANES; t >= 0; t -= LANES) {
      const int64_t *own = lanes + t;
      int in_line = 1, all = 1;
      for (int i = 0; i < LANES; i++) {
        all &= own[i] != NOWHERE;
        in_line &= own[i] == own[0] + i;
      }
      float *target = to + t;
      if (all && everywhere) {
        if (in_line)
          for (int64_t q = 0; q < k; q++, target += width) *(vf *)target = dot_range(*(const vf *)(from + own[0] + depths[q]), &seen);
        else
          for (int64_t q = 0; q < k; q++, target += width) {
            const float *base = from + depths[q];
            vf x;
            UNROLL for (int i = 0; i < LANES; i++) x[i] = base[own[i]];
            *(vf *)target = dot_range(x, &seen);
          }
        continue;
      }
      for (int64_t q = 0; q < k; q++, target += width) {
        vf x = fill;
        if (depths[q] != NOWHERE)
          for (int i = 0; i < LANES; i++)
            if (own[i] != NOWHERE) x[i] = from[own[i] + depths[q]];
        *(vf *)target = dot_range(x, &seen);
      }
    }
  }
  tell(&seen, DOT_MOST, counter);
}

/* An operand's panels: a plain matrix at `from`, or a view. */
INLINE void pack_operand(float *to, int64_t spacing, const float *from, const View *view, int64_t lane, int64_t lane_stride,
                         int64_t depth, int64_t depth_stride, int width, int64_t have, int64_t k, int64_t *counter) {
  if (view) pack_view(to, spacing, from, view, lane, depth, width, have, k, counter);
  else pack(to, spacing, from + lane * lane_stride + depth * depth_stride, lane_stride, depth_stride, width, have, k, counter);
}
#endif
