/*
 * Threads that share out tasks. They start with the first deal of the process. One without a task spins for a
 * moment, because the next kernel follows soon, and then sleeps. A deal waits for its tasks only: a thread that
 * the system runs late finds no task left, and nobody has waited for it.
 */
#ifndef VERDE_POOL_H
#define VERDE_POOL_H
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include "deal.h"
#include "vector.h"

/*
 * The floating-point mode of the thread. A library that was linked with -ffast-math changes it for the process,
 * so each entry sets what the bits depend on: to nearest, and nothing flushed.
 */
#if defined __x86_64__
#define MODE 0x1f80u
INLINE uint64_t read_mode(void) { uint32_t mode; __asm__ volatile("stmxcsr %0" : "=m"(mode)); return mode; }
INLINE void write_mode(uint64_t mode) { uint32_t low = (uint32_t)mode; __asm__ volatile("ldmxcsr %0" : : "m"(low) : "memory"); }
INLINE void pause_core(void) { __asm__ volatile("pause" : : : "memory"); }
#elif defined __aarch64__
#define MODE 0
INLINE uint64_t read_mode(void) { uint64_t mode; __asm__ volatile("mrs %0, fpcr" : "=r"(mode)); return mode; }
INLINE void write_mode(uint64_t mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode) : "memory"); }
INLINE void pause_core(void) { __asm__ volatile("yield" : : : "memory"); }
#else
#error "the native backend knows the floating-point modes of x86-64 and arm64"
#endif

#define MOST_THREADS 256
#define SPIN_NANOSECONDS 40000
/* A task keeps some 100 KiB there; by default some systems give no more. */
#define STACK_BYTES (1 << 20)

/*
 * One deal at a time. `ticket` holds the number of the deal in its upper half, and how many of its tasks nobody
 * has taken in its lower half. A thread reads the ticket, then the deal, and takes a task by exchanging the ticket:
 * where that succeeds, tasks were left, so the deal that it read was the ticket's.
 */
static struct {
  uint64_t ticket __attribute__((aligned(64)));
  int64_t done __attribute__((aligned(64)));
  int64_t count __attribute__((aligned(64)));
  int64_t limit; /* threads that may take tasks */
  Work *work;
  void *context;
  int busy;
  int sleeping, waiting; /* helpers without a task; whether the caller sleeps */
  int64_t helpers; /* threads that were started */
  pthread_mutex_t lock;
  pthread_cond_t wake, finished;
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .finished = PTHREAD_COND_INITIALIZER };

/* Of this thread: how many threads its deals use, its number in a deal, and whether it is in one. */
static _Thread_local int64_t own_threads = 1, own_number;
static _Thread_local int own_deal;

/* The threads that a deal of this thread uses, itself included. */
static int64_t pool_threads(void) { return own_deal ? 1 : own_threads; }

/* Sets them, between 1 and MOST_THREADS. Numbers of threads are below them. */
static void use_threads(int64_t count) { own_threads = count < 1 ? 1 : count > MOST_THREADS ? MOST_THREADS : count; }

#define LOAD(x) __atomic_load_n(&(x), __ATOMIC_SEQ_CST)
#define STORE(x, value) __atomic_store_n(&(x), value, __ATOMIC_SEQ_CST)

INLINE int has_task(int64_t number) { return (uint32_t)LOAD(pool.ticket) != 0 && number < LOAD(pool.limit); }

/* Takes and runs one task. Returns 0 if there is none for this thread. */
static int run_task(int64_t number) {
  uint64_t ticket = LOAD(pool.ticket);
  while ((uint32_t)ticket) {
    int64_t count = LOAD(pool.count);
    Work *work = LOAD(pool.work);
    void *context = LOAD(pool.context);
    if (number >= LOAD(pool.limit)) return 0;
    if (!__atomic_compare_exchange_n(&pool.ticket, &ticket, ticket - 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) continue;
    work(context, count - (int64_t)(uint32_t)ticket, number);
    /* After the last one the caller may begin the next deal, so nothing of this one is read any more. */
    if (__atomic_add_fetch(&pool.done, 1, __ATOMIC_SEQ_CST) == count && LOAD(pool.waiting)) {
      pthread_mutex_lock(&pool.lock);
      pthread_cond_signal(&pool.finished);
      pthread_mutex_unlock(&pool.lock);
    }
    return 1;
  }
  return 0;
}

static int64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Until `ready`, or the end of the time for it. */
#define SPIN_UNTIL(ready) for (int64_t until = nanoseconds() + SPIN_NANOSECONDS; !(ready) && nanoseconds() < until;) \
  for (int n = 0; n < 16 && !(ready); n++) pause_core()

static void *help(void *number) {
  own_number = (int64_t)(intptr_t)number;
  own_deal = 1;
  write_mode(MODE);
  for (;;) {
    while (run_task(own_number)) {}
    SPIN_UNTIL(has_task(own_number));
    if (has_task(own_number)) continue;
    pthread_mutex_lock(&pool.lock);
    __atomic_add_fetch(&pool.sleeping, 1, __ATOMIC_SEQ_CST);
    while (!has_task(own_number)) pthread_cond_wait(&pool.wake, &pool.lock);
    __atomic_sub_fetch(&pool.sleeping, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&pool.lock);
  }
  return 0;
}

/* Starts threads until there are `count` with the caller; as many as the system allows. They get no signals but those of their own faults. */
static void start_helpers(int64_t count) {
  sigset_t all, before;
  Dl_info own;
  pthread_attr_t detached;
  if (pool.helpers + 1 >= count) return;
  /* This object stays in memory as long as threads run in it, whoever closes it. */
  if (!pool.helpers && dladdr((void *)(intptr_t)start_helpers, &own)) dlopen(own.dli_fname, RTLD_NOW);
  sigfillset(&all);
  sigdelset(&all, SIGBUS);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&detached, STACK_BYTES);
  for (pthread_t thread; pool.helpers + 1 < count; pool.helpers++)
    if (pthread_create(&thread, &detached, help, (void *)(intptr_t)(pool.helpers + 1))) break;
  pthread_attr_destroy(&detached);
  pthread_sigmask(SIG_SETMASK, &before, 0);
}

/*
 * Runs `work` for each i from 0 to count - 1 on the threads of the pool, of which the caller is number 0, and
 * returns when all are done. Inside of a deal, and while another thread's deal is under way, the calling thread
 * runs them alone, in order.
 * @param count below 2^32
 */
static void deal(int64_t count, Work *work, void *context) {
  if (count < 2 || pool_threads() < 2 || __atomic_exchange_n(&pool.busy, 1, __ATOMIC_SEQ_CST)) {
    for (int64_t i = 0; i < count; i++) work(context, i, own_number);
    return;
  }
  own_deal = 1;
  start_helpers(own_threads);
  STORE(pool.done, 0);
  STORE(pool.count, count);
  STORE(pool.limit, own_threads);
  STORE(pool.work, work);
  STORE(pool.context, context);
  STORE(pool.ticket, ((LOAD(pool.ticket) >> 32) + 1) << 32 | (uint64_t)count);
  if (LOAD(pool.sleeping)) {
    pthread_mutex_lock(&pool.lock);
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.lock);
  }
  while (run_task(0)) {}
  SPIN_UNTIL(LOAD(pool.done) == count);
  if (LOAD(pool.done) != count) {
    pthread_mutex_lock(&pool.lock);
    STORE(pool.waiting, 1);
    while (LOAD(pool.done) != count) pthread_cond_wait(&pool.finished, &pool.lock);
    STORE(pool.waiting, 0);
    pthread_mutex_unlock(&pool.lock);
  }
  own_deal = 0;
  STORE(pool.busy, 0);
}
#endif
