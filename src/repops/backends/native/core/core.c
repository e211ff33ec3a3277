/*
 * What the native backend calls: memory, a table of calls, and roots. The kernels of this file, products and the generated
 * loops have one form: a function of a block of 64-bit parameters, in which addresses are in bytes.
 */
#define _GNU_SOURCE /* for dladdr */
#include <stdlib.h>
#include <sys/mman.h>
#include "blocks.h"
#include "guard.h"
#include "rows.h"
#include "tree.h"

#define EXPORT __attribute__((visibility("default")))
#define LARGE_MEMORY (4 << 20)
#define AT(type, parameter) ((type *)(intptr_t)(parameter))

typedef struct { Kernel *kernel; const int64_t *parameters; } Call;

/* to, count, bits */
static void call_fill(const int64_t *p) {
  for (int64_t i = 0; i < p[1]; i++) AT(word, p[0])[i] = (int32_t)p[2];
}

/* source, index, target, count, bytes of a row, rows, fill bits, where the indices outside are added up */
static void call_gather(const int64_t *p) {
  int64_t outside = gather(AT(char, p[0]), AT(word, p[1]), AT(char, p[2]), p[3], p[4], p[5], (int32_t)p[6]);
  if (outside) __atomic_fetch_add(AT(int64_t, p[7]), outside, __ATOMIC_RELAXED);
}

/* x, index, table, count, columns, rows, elements from one row to the next of x, and of the table, counter */
static void call_scatter(const int64_t *p) {
  scatter_add(AT(float, p[0]), AT(word, p[1]), AT(float, p[2]), p[3], p[4], p[5], p[6], p[7], AT(int64_t, p[8]));
}

/* The kernels of this file by number; 0 is no kernel. */
EXPORT int64_t verde_kernel(int64_t number) {
  static Kernel *const kernels[] = { call_fill, call_gather, call_scatter, call_blocks };
  return number < 0 || number > 3 ? 0 : (int64_t)(intptr_t)kernels[number];
}

EXPORT int64_t verde_lanes(void) { return LANES; }

/* What products need of the pool: how work is dealt out, and to how many threads. */
EXPORT int64_t verde_deal(void) { return (int64_t)(intptr_t)deal; }
EXPORT int64_t verde_threads(void) { return (int64_t)(intptr_t)pool_threads; }

EXPORT int64_t verde_tree_scratch(int64_t bytes) { return TREE_SCRATCH_BYTES(bytes); }

/* Before the first root. */
EXPORT void verde_begin(void) { prepare_hashing(); }

/* Zeros at a multiple of 4096, or 0. The system provides pages when they are first used. */
EXPORT void *verde_take(uint64_t bytes) {
  char *base = bytes > (uint64_t)1 << 60 ? 0 : calloc(1, bytes + 4096 + sizeof(void *));
  if (!base) return 0;
  char *at = (char *)(((uintptr_t)base + sizeof(void *) + 4095) & ~(uintptr_t)4095);
  memcpy(at - sizeof(void *), &base, sizeof(void *));
#if defined MADV_HUGEPAGE
  /* A kernel follows several runs of memory, and with small pages each of them waits at every 4096 bytes. */
  if (bytes >= LARGE_MEMORY) madvise(at, bytes & ~(uint64_t)4095, MADV_HUGEPAGE);
#endif
  return at;
}

EXPORT void verde_give(int64_t address) {
  char *base;
  memcpy(&base, AT(char, address) - sizeof(void *), sizeof(void *));
  free(base);
}

/* Guards a file that is memory (guard.h). Returns 0 where that can't be done. */
EXPORT int64_t verde_guard(int64_t address, int64_t bytes) { return guard((uintptr_t)address, (uintptr_t)bytes); }
EXPORT int64_t verde_lost(int64_t number) { return lost_pages(number); }
EXPORT void verde_unguard(int64_t number) { unguard(number); }

/* Calls `from` to `to` of a table, on up to this many threads. */
EXPORT void verde_run(int64_t table, int64_t from, int64_t to, int64_t threads) {
  const Call *calls = AT(Call, table);
  use_threads(threads);
  uint64_t mode = read_mode();
  write_mode(MODE);
  for (int64_t i = from; i < to; i++) calls[i].kernel(calls[i].parameters);
  write_mode(mode);
}

/*
 * For each of `count` entries: data, bytes (more than 0), where the root is written. On up to this many threads.
 * @param scratch what verde_tree_scratch asks for, of all entries together
 */
EXPORT void verde_roots(int64_t list, int64_t count, int64_t scratch, int64_t threads) {
  use_threads(threads);
  tree_roots(AT(int64_t, list), count, AT(uint8_t, scratch));
}

#define RAW(expression) for (int64_t i = 0; i < count; i++, x += 3) { vf a = FBITS(x[0]), b = FBITS(x[1]), c = FBITS(x[2]); (void)b; (void)c; *(vf *)lane = (expression); to[i] = lane[0]; } break
/* The machine's own arithmetic on rows of three numbers, for probes; operations by number. */
EXPORT void verde_raw(int64_t operation, int64_t rows, int64_t results, int64_t count) {
  const word *x = AT(word, rows);
  float *to = AT(float, results), lane[LANES];
  uint64_t mode = read_mode();
  write_mode(MODE);
  switch (operation) {
  case 0: RAW(a + b);
  case 1: RAW(a * b);
  case 2: RAW(a / b);
  case 3: RAW(square_root(a));
  case 4: RAW(a * b + c);
  case 5: RAW(float_of_int((vi)a));
  }
  write_mode(mode);
}
