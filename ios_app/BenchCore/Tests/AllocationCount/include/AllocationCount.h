#ifndef ALLOCATION_COUNT_H
#define ALLOCATION_COUNT_H

#include <stdint.h>

/// Whether allocations can be counted here: with glibc, and without a sanitizer, they can.
int allocation_count_is_possible(void);

/// Return how often this thread has asked for memory.
uint64_t allocation_count(void);

/// Return how many bytes this thread has asked for; nothing is taken away where it gives them back.
uint64_t allocation_bytes(void);

#endif
