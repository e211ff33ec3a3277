/* How work is dealt out to threads (pool.h). */
#ifndef VERDE_DEAL_H
#define VERDE_DEAL_H
#include <stdint.h>

/* One task, by its number; `thread` is below MOST_THREADS. */
typedef void Work(void *context, int64_t i, int64_t thread);
typedef void Deal(int64_t count, Work *work, void *context);
typedef int64_t Threads(void);
#endif
