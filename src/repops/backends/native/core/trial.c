/*
 * Times register tiles, so that the fastest of a few is taken for this machine: each multiplies panels that stay in the
 * first caches, as products do. EACH_TRIAL names the tiles.
 */
#include <time.h>
#include "microkernel.h"

#define EXPORT __attribute__((visibility("default")))
#define TRIAL_DEPTH 256
#define TRIAL_PANELS 4
#define MOST_ROWS 16
#define MOST_COLUMNS (4 * LANES)

#define A_FLOATS (MOST_ROWS * TRIAL_DEPTH)
#define B_FLOATS (MOST_COLUMNS * TRIAL_DEPTH)

static float a[TRIAL_PANELS * A_FLOATS] __attribute__((aligned(64)));
static float b[TRIAL_PANELS * B_FLOATS] __attribute__((aligned(64)));
static float c[MOST_ROWS * MOST_COLUMNS] __attribute__((aligned(64)));

#define DEFINE_TRIAL(h, n) DEFINE_TILE(tile##h##x##n, vf, h, n, n * LANES, IN_PANEL)
EACH_TRIAL(DEFINE_TRIAL)
#define TRIAL_OF(h, n) { tile##h##x##n, n * LANES, (int64_t)2 * h * n * LANES * TRIAL_DEPTH * TRIAL_PANELS * TRIAL_PANELS },
static const struct { Tile *tile; int64_t columns, operations; } trials[] = { EACH_TRIAL(TRIAL_OF) };

static int64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Floating-point operations of a turn. */
EXPORT int64_t verde_trial_operations(int64_t number) { return trials[number].operations; }

/* Nanoseconds of the fastest of some turns of one tile, by its number. */
EXPORT int64_t verde_trial(int64_t number, int64_t turns) {
  int64_t best = INT64_MAX, columns = trials[number].columns;
  for (int i = 0; i < TRIAL_PANELS * A_FLOATS; i++) a[i] = 1;
  for (int i = 0; i < TRIAL_PANELS * B_FLOATS; i++) b[i] = 1;
  for (; turns > 0; turns--) {
    int64_t began = nanoseconds();
    for (int i = 0; i < TRIAL_PANELS; i++)
      for (int j = 0; j < TRIAL_PANELS; j++) trials[number].tile(a + i * A_FLOATS, 0, b + j * B_FLOATS, c, columns, TRIAL_DEPTH, 1);
    int64_t took = nanoseconds() - began;
    if (took < best) best = took;
  }
  return best;
}
