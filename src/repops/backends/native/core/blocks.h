/*
 * A call for a group of kernels: rows are cut into blocks, and each block runs through all kernels of the group
 * before the next one, so that what one kernel writes is still in a cache when the next one reads it. Blocks are
 * dealt out to threads. Each kernel gets a copy of its parameters, of which the number of rows is set and the
 * addresses and coordinates are shifted.
 */
#include "pool.h"

typedef void Kernel(const int64_t *p);

/*
 * The words of a loop with 8 operands, and the axes of its rows: 8 axes of an output and 8 of a fold take 161 words.
 * groups.ts joins no kernels whose rows have more axes (grain.ts).
 */
#define MOST_WORDS 256
#define MOST_AXES 8

/*
 * p: whether blocks are dealt out, kernels, rows of a block, axes of the rows, the extent of each axis. A block
 * lies within one place of all axes but the last. Then of each kernel:
 * its address, its words, its shifts, the word that holds how often its rows are run through, how often that is
 * for one row; its words; of each shift the word, what is added for each thread, and for each axis.
 */
static void run_block(void *context, int64_t block, int64_t thread) {
  const int64_t *p = context, *extents = p + 4, *at = extents + p[3];
  int64_t axes = p[3], place[MOST_AXES], words[MOST_WORDS];
  int64_t blocks = (extents[axes - 1] + p[2] - 1) / p[2], left = block / blocks;
  int64_t first = block % blocks * p[2], rows = extents[axes - 1] - first < p[2] ? extents[axes - 1] - first : p[2];
  place[axes - 1] = first;
  for (int64_t a = axes - 2; a >= 0; left /= extents[a--]) place[a] = left % extents[a];
  for (int64_t kernels = p[1]; kernels; kernels--) {
    Kernel *kernel = (Kernel *)(intptr_t)at[0];
    int64_t count = at[1], shifts = at[2], row_word = at[3], passes = at[4];
    memcpy(words, at + 5, 8 * (size_t)count);
    words[row_word] = rows * passes;
    for (at += 5 + count; shifts; shifts--, at += 2 + axes) {
      int64_t by = thread * at[1];
      for (int64_t a = 0; a < axes; a++) by += place[a] * at[2 + a];
      words[at[0]] += by;
    }
    kernel(words);
  }
}

static void call_blocks(const int64_t *p) {
  const int64_t *extents = p + 4;
  int64_t count = (extents[p[3] - 1] + p[2] - 1) / p[2];
  for (int64_t a = 0; a < p[3] - 1; a++) count *= extents[a];
  if (p[0]) deal(count, run_block, (void *)(intptr_t)p);
  else for (int64_t i = 0; i < count; i++) run_block((void *)(intptr_t)p, i, own_number);
}
