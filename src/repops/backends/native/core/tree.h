/* The root of the tree over a tensor's chunks (spec 6.3, 6.4). */
#include "sha256.h"

#define CHUNK_BYTES 256
#define TAG_NODE 0x01
#define TAG_CHUNK 0x02
/* Subtrees of this many chunks are finished while their digests are in the first cache: memory is read once. */
#define SUBTREE 1024
#define SUBTREE_BYTES (SUBTREE * CHUNK_BYTES)
/* Two lists of the subtrees' roots, each after a byte that may be read. */
#define TREE_SCRATCH_BYTES(bytes) (2 * (64 + 32 * (((bytes) + SUBTREE_BYTES - 1) / SUBTREE_BYTES + 1)))

/* Replaces `width` digests by their parents; an odd one is promoted unchanged. Returns the new width. */
static int64_t hash_level(const uint8_t *from, uint8_t *to, int64_t width) {
  hash_many(from, 1, TAG_NODE, to, width / 2);
  if (width & 1) memcpy(to + 32 * (width / 2), from + 32 * (width - 1), 32);
  return (width + 1) / 2;
}

/*
 * @param bytes more than 0
 * @param scratch TREE_SCRATCH_BYTES(bytes)
 */
static void tree_root(const uint8_t *data, int64_t bytes, uint8_t *scratch, uint8_t *root) {
  uint8_t level[2][64 + 32 * SUBTREE];
  int64_t subtrees = (bytes + SUBTREE_BYTES - 1) / SUBTREE_BYTES;
  uint8_t *tops = scratch + 64, *above = tops + 32 * (subtrees + 1) + 64;
  for (int64_t t = 0; t < subtrees; t++) {
    const uint8_t *from = data + t * SUBTREE_BYTES;
    int64_t have = bytes - t * SUBTREE_BYTES < SUBTREE_BYTES ? bytes - t * SUBTREE_BYTES : SUBTREE_BYTES;
    int64_t whole = have / CHUNK_BYTES, rest = have % CHUNK_BYTES, width = whole + (rest != 0);
    int at = 0;
    hash_many(from, CHUNK_BYTES / 64, TAG_CHUNK, level[0] + 64, whole);
    if (rest) hash_one(from + whole * CHUNK_BYTES, rest, TAG_CHUNK, level[0] + 64 + 32 * whole);
    /* A last, smaller subtree joins the others as the levels above do. */
    for (; width > 1; at ^= 1) width = hash_level(level[at] + 64, level[!at] + 64, width);
    memcpy(tops + 32 * t, level[at] + 64, 32);
  }
  for (int64_t width = subtrees; width > 1;) {
    width = hash_level(tops, above, width);
    uint8_t *swap = tops;
    tops = above;
    above = swap;
  }
  memcpy(root, tops, 32);
}
