/*
 * A driver for tests, in the place of libcuda.so.1: it keeps what it is told in queues, one a stream, and does it
 * later, one step at a time and in any order that streams and events allow. So a program that looks at a result
 * before it has waited for it, or uses memory again too early, gets wrong numbers here. Kernels are executed by
 * a function that the test registers. Any call can be told to fail.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef int CUresult;
enum { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, INVALID_CONTEXT = 201, INVALID_HANDLE = 400,
  NOT_FOUND = 500, NOT_READY = 600, CAPTURE_UNSUPPORTED = 900 };
enum { DEVICE_BYTES = 1 << 27, RED_ZONE = 256, MOST = 1 << 16, STREAMS = 8, WORDS = 64 };
#define EXPORT __attribute__((visibility("default")))

/* What the test registers. */
typedef int64_t (*Load)(int64_t module, const char *text);
typedef int64_t (*Kernel)(int64_t function, int64_t blocks, int64_t threads, int64_t values);
typedef void (*Mark)(int64_t address, int64_t bytes, int64_t valid);
/* The number of a function's parameters, and in bits 8 and up, which ones have 64 bits. */
typedef int64_t (*Parameters)(int64_t module, const char *name);
static Load load_module;
static Kernel run_kernel;
static Mark mark_memory;
static Parameters parameters_of;

typedef struct { int kind; int64_t a, b, n; int64_t function, blocks, threads; uint64_t values[WORDS]; } Op;
enum { TO_DEVICE, TO_HOST, ON_DEVICE, SET, LAUNCH, RECORD, WAIT };
typedef struct { Op *ops; int count, done, capturing; Op *graph; int graph_count; int alive; } Stream;
typedef struct { int alive, recorded, reached, asked; } Event;
typedef struct { Op *ops; int count, alive; } Graph;
typedef struct { int64_t at, bytes; int used; } Block;

/* A context's handle is this and the number of its card. */
enum { CONTEXT = 77 };
static int started, current, version = 12040, devices = 1, major = 9, minor = 0;
static int64_t room = DEVICE_BYTES;
static unsigned dice = 1;
static char *base;
static Stream streams[STREAMS];
static Event events[MOST];
static Graph graphs[1024];
static Block blocks[MOST];
static int block_count, event_count, graph_count, modules, sticky, pinned_alive;
static struct { int64_t at; int64_t bytes; int used; } pinned[MOST];
static int pinned_count;
static struct { int64_t module; char name[24]; int64_t parameters; } functions[MOST];
static int function_count;

static struct { char name[40]; int after, code; } failing;
static struct { char name[40]; int count; } counts[64];

/* Counts a call, and fails where the test wants it. */
static CUresult enter(const char *name) {
  int i = 0;
  while (counts[i].name[0] && strcmp(counts[i].name, name)) i++;
  strncpy(counts[i].name, name, 39);
  counts[i].count++;
  if (failing.code && !strcmp(failing.name, name) && failing.after-- == 0) {
    CUresult code = failing.code;
    failing.code = 0;
    if (code == 214 || code == 700 || code == 719 || code == 999) sticky = code;
    return code;
  }
  return SUCCESS;
}
#define ENTER(name) do { CUresult failed = enter(name); if (failed) return failed; } while (0)
/* After some failures nothing works in a context any more. */
#define NEED_CONTEXT do { if (!current) return INVALID_CONTEXT; if (sticky) return sticky; } while (0)

EXPORT void standin_register(Load load, Kernel kernel, Mark mark, Parameters parameters) {
  load_module = load; run_kernel = kernel; mark_memory = mark; parameters_of = parameters;
}
EXPORT void standin_machine(int of_version, int of_devices, int of_major, int of_minor, int64_t of_room) {
  version = of_version; devices = of_devices; major = of_major; minor = of_minor; room = of_room;
}
EXPORT void standin_seed(unsigned seed) { dice = seed ? seed : 1; }
EXPORT void standin_fail(const char *name, int after, int code) {
  strncpy(failing.name, name, 39); failing.after = after; failing.code = code;
}
EXPORT int standin_calls(const char *name) {
  for (int i = 0; i < 64 && counts[i].name[0]; i++) if (!strcmp(counts[i].name, name)) return counts[i].count;
  return 0;
}
static int64_t used(void) {
  int64_t sum = 0;
  for (int i = 0; i < block_count; i++) if (blocks[i].used) sum += blocks[i].bytes;
  return sum;
}
/* What has not been freed: bytes of the device, events, graphs. */
EXPORT int64_t standin_alive(int what) {
  int64_t count = 0;
  if (what == 0) return used();
  if (what == 1) for (int i = 0; i < event_count; i++) count += events[i].alive;
  if (what == 2) for (int i = 0; i < graph_count; i++) count += graphs[i].alive;
  return count;
}
EXPORT int64_t standin_base(void) {
  if (!base) base = mmap(0, DEVICE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return (int64_t)base;
}
EXPORT int64_t standin_bytes(void) { return DEVICE_BYTES; }

static unsigned roll(void) { dice ^= dice << 13; dice ^= dice >> 17; dice ^= dice << 5; return dice; }

static int can_run(Stream *s) {
  if (s->done == s->count) return 0;
  Op *op = &s->ops[s->done];
  return op->kind != WAIT || events[op->a].reached >= op->b;
}
static void run_one(Stream *s) {
  Op op = s->ops[s->done++];
  switch (op.kind) {
    case TO_DEVICE: case TO_HOST: case ON_DEVICE: memmove((void *)op.a, (void *)op.b, (size_t)op.n); break;
    case SET: for (int64_t i = 0; i < op.n; i++) ((uint32_t *)op.a)[i] = (uint32_t)op.b; break;
    case LAUNCH: { CUresult code = (CUresult)run_kernel(op.function, op.blocks, op.threads, (int64_t)op.values); if (code) sticky = code; break; }
    case RECORD: if (events[op.a].reached < op.b) events[op.a].reached = (int)op.b; break;
  }
}
/* Does one thing of any stream that can go on, the favoured one if it can; 0 where nothing is left. */
static int advance_from(int favoured) {
  for (int i = 0; i < STREAMS; i++) {
    Stream *s = &streams[(favoured + i) % STREAMS];
    if (s->alive && can_run(s)) { run_one(s); return 1; }
  }
  return 0;
}
static int advance(void) { return advance_from((int)(roll() % STREAMS)); }
/* A stream that is favoured for a while: the other ones wait, as long as they may. */
static int favourite(void) {
  int alive = 0;
  for (int i = 0; i < STREAMS; i++) alive += streams[i].alive;
  int chosen = alive ? (int)(roll() % (unsigned)alive) : 0;
  for (int i = 0; i < STREAMS; i++) if (streams[i].alive && chosen-- == 0) return i;
  return 0;
}

static Stream *stream_of(int64_t handle) { return handle > 0 && handle <= STREAMS && streams[handle - 1].alive ? &streams[handle - 1] : 0; }
static CUresult push(int64_t handle, Op op) {
  Stream *s = stream_of(handle);
  if (!s) return INVALID_HANDLE;
  Op **list = s->capturing ? &s->graph : &s->ops;
  int *count = s->capturing ? &s->graph_count : &s->count;
  *list = realloc(*list, sizeof(Op) * (size_t)(*count + 1));
  (*list)[(*count)++] = op;
  return SUCCESS;
}

EXPORT CUresult cuInit(unsigned flags) {
  ENTER("cuInit");
  /* In processes that no test can reach otherwise. */
  if (!started && getenv("STANDIN_CARDS")) devices = atoi(getenv("STANDIN_CARDS"));
  started = 1;
  return flags ? INVALID_VALUE : SUCCESS;
}
EXPORT CUresult cuDriverGetVersion(int *out) { ENTER("cuDriverGetVersion"); *out = version; return SUCCESS; }
EXPORT CUresult cuDeviceGetCount(int *out) { ENTER("cuDeviceGetCount"); if (!started) return NOT_INITIALIZED; *out = devices; return SUCCESS; }
EXPORT CUresult cuDeviceGet(int *out, int ordinal) { ENTER("cuDeviceGet"); if (ordinal >= devices) return 101; *out = ordinal; return SUCCESS; }
EXPORT CUresult cuDeviceGetName(char *out, int most, int device) { ENTER("cuDeviceGetName"); (void)device; strncpy(out, "Stand-in for a GPU", (size_t)most); return SUCCESS; }
EXPORT CUresult cuDeviceGetAttribute(int *out, int attribute, int device) {
  ENTER("cuDeviceGetAttribute"); (void)device;
  *out = attribute == 75 ? major : attribute == 76 ? minor : attribute == 16 ? 4 : 0; return SUCCESS;
}
EXPORT CUresult cuDeviceTotalMem_v2(int64_t *out, int device) { ENTER("cuDeviceTotalMem_v2"); (void)device; *out = room; return SUCCESS; }
EXPORT CUresult cuDevicePrimaryCtxRetain(int64_t *out, int device) {
  ENTER("cuDevicePrimaryCtxRetain");
  /* Tells the test which process uses which card. */
  FILE *log = getenv("STANDIN_LOG") ? fopen(getenv("STANDIN_LOG"), "a") : 0;
  if (log) { fprintf(log, "%d\n", device); fclose(log); }
  *out = CONTEXT + device;
  return SUCCESS;
}
EXPORT CUresult cuDevicePrimaryCtxReset_v2(int device) {
  (void)device; sticky = 0; current = 0;
  ENTER("cuDevicePrimaryCtxReset_v2");
  for (int i = 0; i < STREAMS; i++) { streams[i].alive = 0; streams[i].count = streams[i].done = 0; }
  for (int i = 0; i < event_count; i++) events[i].alive = 0;
  for (int i = 0; i < graph_count; i++) graphs[i].alive = 0;
  for (int i = 0; i < block_count; i++) if (blocks[i].used) { blocks[i].used = 0; mark_memory(blocks[i].at, blocks[i].bytes, 0); }
  return SUCCESS;
}
EXPORT CUresult cuCtxSetCurrent(int64_t context) { ENTER("cuCtxSetCurrent"); current = context >= CONTEXT && context < CONTEXT + devices; return current ? SUCCESS : INVALID_CONTEXT; }
EXPORT CUresult cuMemGetInfo_v2(int64_t *free_bytes, int64_t *total) { ENTER("cuMemGetInfo_v2"); NEED_CONTEXT; *total = room; *free_bytes = room - used(); return SUCCESS; }

EXPORT CUresult cuMemAlloc_v2(int64_t *out, int64_t bytes) {
  ENTER("cuMemAlloc_v2"); NEED_CONTEXT;
  if (bytes <= 0) return INVALID_VALUE;
  int64_t size = (bytes + 255) / 256 * 256;
  if (used() + size > room) return OUT_OF_MEMORY;
  /* The first place between two used ones that is large enough, with a stretch that nothing owns on both sides. */
  int64_t at = standin_base() + RED_ZONE;
  for (int moved = 1; moved;) {
    moved = 0;
    for (int i = 0; i < block_count; i++)
      if (blocks[i].used && at < blocks[i].at + blocks[i].bytes + RED_ZONE && blocks[i].at < at + size + RED_ZONE) { at = blocks[i].at + blocks[i].bytes + RED_ZONE; moved = 1; }
  }
  if (at + size + RED_ZONE > standin_base() + DEVICE_BYTES || block_count == MOST) return OUT_OF_MEMORY;
  int slot = 0;
  while (slot < block_count && blocks[slot].used) slot++;
  if (slot == block_count) block_count++;
  blocks[slot] = (Block){ at, size, 1 };
  mark_memory(at, size, 1);
  *out = at;
  return SUCCESS;
}
EXPORT CUresult cuMemFree_v2(int64_t address) {
  ENTER("cuMemFree_v2"); NEED_CONTEXT;
  while (advance()) { }
  for (int i = 0; i < block_count; i++)
    if (blocks[i].used && blocks[i].at == address) { blocks[i].used = 0; mark_memory(address, blocks[i].bytes, 0); return SUCCESS; }
  return INVALID_VALUE;
}
EXPORT CUresult cuMemHostAlloc(int64_t *out, int64_t bytes, unsigned flags) {
  ENTER("cuMemHostAlloc"); NEED_CONTEXT; (void)flags;
  char *memory = malloc((size_t)bytes);
  if (!memory) return OUT_OF_MEMORY;
  memset(memory, 0xa5, (size_t)bytes);
  pinned[pinned_count].at = (int64_t)memory; pinned[pinned_count].bytes = bytes; pinned[pinned_count++].used = 1;
  *out = (int64_t)memory; pinned_alive++;
  return SUCCESS;
}
EXPORT CUresult cuMemFreeHost(int64_t address) {
  ENTER("cuMemFreeHost"); NEED_CONTEXT;
  for (int i = 0; i < pinned_count; i++)
    /* What comes to use it afterwards finds it overwritten; it is never given back, because views of it may exist. */
    if (pinned[i].used && pinned[i].at == address) { pinned[i].used = 0; memset((void *)address, 0x5a, (size_t)pinned[i].bytes); pinned_alive--; return SUCCESS; }
  return INVALID_VALUE;
}
EXPORT CUresult cuMemcpyHtoDAsync_v2(int64_t to, int64_t from, int64_t bytes, int64_t stream) { ENTER("cuMemcpyHtoDAsync_v2"); NEED_CONTEXT; return push(stream, (Op){ .kind = TO_DEVICE, .a = to, .b = from, .n = bytes }); }
EXPORT CUresult cuMemcpyDtoHAsync_v2(int64_t to, int64_t from, int64_t bytes, int64_t stream) { ENTER("cuMemcpyDtoHAsync_v2"); NEED_CONTEXT; return push(stream, (Op){ .kind = TO_HOST, .a = to, .b = from, .n = bytes }); }
EXPORT CUresult cuMemcpyDtoDAsync_v2(int64_t to, int64_t from, int64_t bytes, int64_t stream) { ENTER("cuMemcpyDtoDAsync_v2"); NEED_CONTEXT; return push(stream, (Op){ .kind = ON_DEVICE, .a = to, .b = from, .n = bytes }); }
EXPORT CUresult cuMemsetD32Async(int64_t to, unsigned word, int64_t count, int64_t stream) { ENTER("cuMemsetD32Async"); NEED_CONTEXT; return push(stream, (Op){ .kind = SET, .a = to, .b = word, .n = count }); }

EXPORT CUresult cuModuleLoadDataEx(int64_t *out, const char *text, unsigned count, const int *options, const int64_t *values) {
  ENTER("cuModuleLoadDataEx"); NEED_CONTEXT;
  int64_t code = load_module(modules + 1, text);
  if (code) {
    for (unsigned i = 0; i < count; i++) if (options[i] == 5) strcpy((char *)values[i], "ptxas application, line 1; error: the stand-in refuses this\n");
    return (CUresult)code;
  }
  *out = ++modules;
  return SUCCESS;
}
EXPORT CUresult cuModuleGetFunction(int64_t *out, int64_t module, const char *name) {
  ENTER("cuModuleGetFunction"); NEED_CONTEXT;
  int64_t parameters = parameters_of(module, name);
  if (parameters < 0) return NOT_FOUND;
  functions[function_count].module = module; functions[function_count].parameters = parameters;
  strncpy(functions[function_count].name, name, 23);
  *out = ++function_count;
  return SUCCESS;
}
EXPORT int64_t standin_module(int64_t function) { return functions[function - 1].module; }
EXPORT int64_t standin_number(int64_t function) { return atoi(functions[function - 1].name + 1); }

EXPORT CUresult cuLaunchKernel(int64_t function, unsigned x, unsigned y, unsigned z, unsigned threads, unsigned ty, unsigned tz, unsigned shared, int64_t stream, void **parameters, void **extra) {
  ENTER("cuLaunchKernel"); NEED_CONTEXT;
  if (function < 1 || function > function_count) return INVALID_HANDLE;
  if (!x || x > 2147483647u || y != 1 || z != 1 || !threads || threads > 1024 || ty != 1 || tz != 1 || shared || extra) return INVALID_VALUE;
  Op op = { .kind = LAUNCH, .function = function, .blocks = x, .threads = threads };
  int64_t of = functions[function - 1].parameters;
  int count = (int)(of & 255);
  if (count > WORDS) return INVALID_VALUE;
  for (int i = 0; i < count; i++) op.values[i] = (of >> (8 + i)) & 1 ? *(uint64_t *)parameters[i] : *(uint32_t *)parameters[i];
  return push(stream, op);
}

EXPORT CUresult cuStreamCreate(int64_t *out, unsigned flags) {
  ENTER("cuStreamCreate"); NEED_CONTEXT;
  if (flags != 1) return INVALID_VALUE;
  for (int i = 0; i < STREAMS; i++) if (!streams[i].alive) { streams[i] = (Stream){ .alive = 1 }; *out = i + 1; return SUCCESS; }
  return OUT_OF_MEMORY;
}
EXPORT CUresult cuStreamBeginCapture_v2(int64_t stream, int mode) {
  ENTER("cuStreamBeginCapture_v2"); NEED_CONTEXT;
  Stream *s = stream_of(stream);
  if (!s || mode != 1 || s->capturing) return INVALID_HANDLE;
  s->capturing = 1; s->graph = 0; s->graph_count = 0;
  return SUCCESS;
}
EXPORT CUresult cuStreamEndCapture(int64_t stream, int64_t *out) {
  ENTER("cuStreamEndCapture"); NEED_CONTEXT;
  Stream *s = stream_of(stream);
  if (!s || !s->capturing) return INVALID_HANDLE;
  s->capturing = 0;
  graphs[graph_count] = (Graph){ s->graph, s->graph_count, 1 };
  *out = ++graph_count;
  return SUCCESS;
}
static Graph *graph_of(int64_t handle) { return handle > 0 && handle <= graph_count && graphs[handle - 1].alive ? &graphs[handle - 1] : 0; }
EXPORT CUresult cuGraphInstantiateWithFlags(int64_t *out, int64_t graph, int64_t flags) {
  ENTER("cuGraphInstantiateWithFlags"); NEED_CONTEXT;
  Graph *g = graph_of(graph);
  if (!g || flags) return INVALID_HANDLE;
  graphs[graph_count] = (Graph){ g->ops, g->count, 1 };
  *out = ++graph_count;
  return SUCCESS;
}
EXPORT CUresult cuGraphDestroy(int64_t graph) { ENTER("cuGraphDestroy"); NEED_CONTEXT; Graph *g = graph_of(graph); if (!g) return INVALID_HANDLE; g->alive = 0; return SUCCESS; }
EXPORT CUresult cuGraphExecDestroy(int64_t graph) { ENTER("cuGraphExecDestroy"); NEED_CONTEXT; Graph *g = graph_of(graph); if (!g) return INVALID_HANDLE; g->alive = 0; return SUCCESS; }
EXPORT CUresult cuGraphLaunch(int64_t graph, int64_t stream) {
  ENTER("cuGraphLaunch"); NEED_CONTEXT;
  Graph *g = graph_of(graph);
  if (!g) return INVALID_HANDLE;
  for (int i = 0; i < g->count; i++) { CUresult code = push(stream, g->ops[i]); if (code) return code; }
  return SUCCESS;
}

static Event *event_of(int64_t handle) { return handle > 0 && handle <= event_count && events[handle - 1].alive ? &events[handle - 1] : 0; }
EXPORT CUresult cuEventCreate(int64_t *out, unsigned flags) {
  ENTER("cuEventCreate"); NEED_CONTEXT;
  if (flags != 2 || event_count == MOST) return INVALID_VALUE;
  events[event_count] = (Event){ 1, 0, 0, 0 };
  *out = ++event_count;
  return SUCCESS;
}
EXPORT CUresult cuEventRecord(int64_t event, int64_t stream) {
  ENTER("cuEventRecord"); NEED_CONTEXT;
  Event *e = event_of(event);
  if (!e) return INVALID_HANDLE;
  return push(stream, (Op){ .kind = RECORD, .a = event - 1, .b = ++e->recorded });
}
EXPORT CUresult cuStreamWaitEvent(int64_t stream, int64_t event, unsigned flags) {
  ENTER("cuStreamWaitEvent"); NEED_CONTEXT;
  Event *e = event_of(event);
  if (!e || flags) return INVALID_HANDLE;
  return push(stream, (Op){ .kind = WAIT, .a = event - 1, .b = e->recorded });
}
EXPORT CUresult cuEventQuery(int64_t event) {
  ENTER("cuEventQuery"); NEED_CONTEXT;
  Event *e = event_of(event);
  if (!e) return INVALID_HANDLE;
  for (int i = 0; i < STREAMS; i++) if (streams[i].alive && streams[i].capturing) return CAPTURE_UNSUPPORTED;
  if (e->reached >= e->recorded) return SUCCESS;
  /* Whoever asks for the first time has to wait, so that programs that do not wait tell more before anything is done. */
  if (e->asked++) for (int i = 0, first = favourite(); i < 12; i++) advance_from(first);
  if (sticky) return sticky;
  return e->reached >= e->recorded ? SUCCESS : NOT_READY;
}
EXPORT CUresult cuEventDestroy_v2(int64_t event) { ENTER("cuEventDestroy_v2"); NEED_CONTEXT; Event *e = event_of(event); if (!e) return INVALID_HANDLE; e->alive = 0; return SUCCESS; }
