// Counts what each thread allocates: the program's own malloc comes before that of the library.

#include "AllocationCount.h"

#include <errno.h>
#include <stddef.h>

// A sanitizer has a malloc of its own.
#if defined(__GLIBC__) && !__has_feature(thread_sanitizer) && !__has_feature(address_sanitizer)

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static __thread uint64_t count;
static __thread uint64_t bytes;

static void note(size_t size) {
    count += 1;
    bytes += size;
}

void *malloc(size_t size) {
    note(size);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    note(number * size);
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
    note(size);
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    note(size);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    note(size);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    note(size);
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}

int allocation_count_is_possible(void) { return 1; }
uint64_t allocation_count(void) { return count; }
uint64_t allocation_bytes(void) { return bytes; }

#else

int allocation_count_is_possible(void) { return 0; }
uint64_t allocation_count(void) { return 0; }
uint64_t allocation_bytes(void) { return 0; }

#endif
