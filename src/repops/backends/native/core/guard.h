/*
 * Files that are read as memory. Where such a file was cut, or its disk fails, reading a page raises SIGBUS, which would
 * end the process. A page of a guarded file becomes zeros instead, and is counted, so that whoever has computed with it
 * can refuse the result. Other faults are left to whoever handled them before.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>
#include "vector.h"

#define MOST_GUARDED 256
#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

/* An entry is free where `from` is 0. Numbers are never used again. */
static struct { uintptr_t from, to; int64_t number, lost; } guarded[MOST_GUARDED];
static pthread_mutex_t guarding = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction guarded_before;

static void replace_page(int number, siginfo_t *info, void *context) {
  uintptr_t at = (uintptr_t)info->si_addr, size = (uintptr_t)sysconf(_SC_PAGESIZE);
  for (int i = 0; i < MOST_GUARDED; i++) {
    uintptr_t from = __atomic_load_n(&guarded[i].from, __ATOMIC_ACQUIRE);
    if (!from || at < from || at >= guarded[i].to) continue;
    int before = errno;
    void *page = mmap((void *)(at & ~(size - 1)), size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0);
    errno = before;
    if (page == MAP_FAILED) break;
    __atomic_fetch_add(&guarded[i].lost, 1, __ATOMIC_RELAXED);
    return;
  }
  if (guarded_before.sa_flags & SA_SIGINFO) guarded_before.sa_sigaction(number, info, context);
  else if (guarded_before.sa_handler != SIG_DFL && guarded_before.sa_handler != SIG_IGN) guarded_before.sa_handler(number);
  /* The access is repeated, and ends the process. */
  else signal(number, SIG_DFL);
}

static void free_entry(int i) { __atomic_store_n(&guarded[i].from, 0, __ATOMIC_RELEASE); }

static int64_t add_guard(uintptr_t from, uintptr_t to) {
  static int handled;
  static int64_t numbers;
  if (!handled) {
    struct sigaction action = { .sa_sigaction = replace_page, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK };
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGBUS, &action, &guarded_before)) return 0;
    handled = 1;
  }
  /* Where other memory stands now, what stood there before is gone, even if nobody has said so yet. */
  for (int i = 0; i < MOST_GUARDED; i++)
    if (guarded[i].from && guarded[i].from < to && from < guarded[i].to) free_entry(i);
  for (int i = 0; i < MOST_GUARDED; i++)
    if (!guarded[i].from) {
      guarded[i].to = to;
      guarded[i].number = ++numbers;
      guarded[i].lost = 0;
      __atomic_store_n(&guarded[i].from, from, __ATOMIC_RELEASE);
      return guarded[i].number;
    }
  return 0;
}

/* Guards memory. Returns the guard's number, or 0 where there is no room, or signals can't be handled. */
static int64_t guard(uintptr_t from, uintptr_t bytes) {
  pthread_mutex_lock(&guarding);
  int64_t number = add_guard(from, from + bytes);
  pthread_mutex_unlock(&guarding);
  return number;
}

/* The pages of guarded memory that were lost. */
static int64_t lost_pages(int64_t number) {
  for (int i = 0; i < MOST_GUARDED; i++)
    if (guarded[i].from && guarded[i].number == number) return __atomic_load_n(&guarded[i].lost, __ATOMIC_RELAXED);
  return 0;
}

static void unguard(int64_t number) {
  pthread_mutex_lock(&guarding);
  for (int i = 0; i < MOST_GUARDED; i++)
    if (guarded[i].number == number) free_entry(i);
  pthread_mutex_unlock(&guarding);
}
