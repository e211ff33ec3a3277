/* The roots of the trees over tensors' chunks (spec 6.3, 6.4). */
#include "pool.h"
#include "sha256.h"

#define CHUNK_BYTES 256
#define TAG_NODE 0x01
#define TAG_CHUNK 0x02
/* Subtrees of this many chunks are finished while their digests are in the first cache: memory is read once. */
#define SUBTREE 1024
#define SUBTREE_BYTES (SUBTREE * CHUNK_BYTES)
/* The number of its first subtree, and two lists of the subtrees' roots, each after a byte that may be read. */
#define SUBTREES(bytes) (((bytes) + SUBTREE_BYTES - 1) / SUBTREE_BYTES)
#define TREE_SCRATCH_BYTES(bytes) (8 + 2 * (64 + 32 * (SUBTREES(bytes) + 1)))

/* Replaces `width` digests by their parents; an odd one is promoted unchanged. Returns the new width. */
static int64_t hash_level(const uint8_t *from, uint8_t *to, int64_t width) {
  hash_many(from, 1, TAG_NODE, to, width / 2);
  if (width & 1) memcpy(to + 32 * (width / 2), from + 32 * (width - 1), 32);
  return (width + 1) / 2;
}

/* The root of a subtree of `bytes` bytes. A last, smaller one joins the others as the levels above do. */
static void subtree_root(const uint8_t *from, int64_t bytes, uint8_t *root) {
  uint8_t level[2][64 + 32 * SUBTREE];
  int64_t whole = bytes / CHUNK_BYTES, rest = bytes % CHUNK_BYTES, width = whole + (rest != 0);
  int at = 0;
  hash_many(from, CHUNK_BYTES / 64, TAG_CHUNK, level[0] + 64, whole);
  if (rest) hash_one(from + whole * CHUNK_BYTES, rest, TAG_CHUNK, level[0] + 64 + 32 * whole);
  for (; width > 1; at ^= 1) width = hash_level(level[at] + 64, level[!at] + 64, width);
  memcpy(root, level[at] + 64, 32);
}

/* Tensors as triples (data, bytes, root), the number of the first subtree of each, and the roots of all subtrees. */
typedef struct { const int64_t *list; int64_t count; const int64_t *firsts; uint8_t *tops; } Trees;

static void run_subtree(void *context, int64_t i, int64_t thread) {
  const Trees *x = context;
  int64_t low = 0, high = x->count;
  (void)thread;
  while (high - low > 1) {
    int64_t middle = (low + high) / 2;
    if (x->firsts[middle] <= i) low = middle;
    else high = middle;
  }
  const int64_t *tensor = x->list + 3 * low;
  int64_t from = (i - x->firsts[low]) * SUBTREE_BYTES, left = tensor[1] - from;
  const uint8_t *data = (const uint8_t *)(intptr_t)tensor[0];
  subtree_root(data + from, left < SUBTREE_BYTES ? left : SUBTREE_BYTES, x->tops + 32 * i);
}

/*
 * The roots of `count` tensors of more than 0 bytes, each given by the addresses of its data and of its root.
 * @param scratch TREE_SCRATCH_BYTES of all tensors together
 */
static void tree_roots(const int64_t *list, int64_t count, uint8_t *scratch) {
  int64_t *firsts = (int64_t *)scratch, all = 0;
  for (int64_t t = 0; t < count; all += SUBTREES(list[3 * t++ + 1])) firsts[t] = all;
  uint8_t *tops = scratch + 8 * count + 64, *other = tops + 32 * all + 64;
  Trees trees = { list, count, firsts, tops };
  deal(all, run_subtree, &trees);
  for (int64_t t = 0; t < count; t++) {
    uint8_t *from = tops + 32 * firsts[t], *to = other;
    int64_t width = (t + 1 < count ? firsts[t + 1] : all) - firsts[t];
    while (width > 1) {
      width = hash_level(from, to, width);
      uint8_t *swap = from;
      from = to;
      to = swap;
    }
    memcpy((uint8_t *)(intptr_t)list[3 * t + 2], from, 32);
  }
}
