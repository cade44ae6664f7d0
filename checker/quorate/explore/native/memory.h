/* Memory that grows in place.
 *
 * A region reserves addresses for all it could ever need and makes them usable piece by piece. Growing never moves
 * anything, so that other threads may go on reading, and never copies anything, so that the peak is what is in use. All regions
 * draw on one budget: when it is spent, growth is refused and the search ends with what it knows.
 */
#ifndef QUORATE_MEMORY_H
#define QUORATE_MEMORY_H

#include <stdatomic.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

typedef struct {
    _Atomic size_t used;
    size_t limit;
} Budget;

typedef struct {
    char *base;
    char *mapping;
    size_t reserved, forgotten;
    _Atomic size_t committed; /* written by one worker, read by anyone */
} Region;

/* How a region is read. One that is read all over is bound by address translation, and huge pages are worth a third of the time. One that is
   written from end to end gains nothing by them; and where a machine is a guest of another, they are what the host has to find anew, page by page,
   while small pages are mostly those that some program has just given back. */
typedef enum { IN_ORDER, ALL_OVER } Access;

static bool region_reserve(Region *region, size_t bytes, Access access) {
    bytes = (bytes + 2 * HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    /* A limit on address space (ulimit -v) can refuse the first wish; half of it, and so on, may still do. */
    for (; bytes >= 2 * HUGE_PAGE; bytes /= 2) {
        char *mapping = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (mapping == MAP_FAILED) continue;
        region->mapping = mapping;
        region->base = (char *)(((uintptr_t)mapping + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
        region->reserved = bytes - (size_t)(region->base - mapping);
        region->committed = 0;
#ifdef MADV_HUGEPAGE
        if (access == ALL_OVER) madvise(region->base, region->reserved, MADV_HUGEPAGE);
#else
        (void)access;
#endif
        return true;
    }
    region->mapping = NULL;
    return false;
}

static bool region_commit_in(Region *region, size_t bytes, size_t piece, Budget *budget) {
    bytes = (bytes + piece - 1) & ~(piece - 1);
    if (bytes > region->reserved) return false;
    size_t more = bytes - region->committed;
    if (atomic_fetch_add(&budget->used, more) + more > budget->limit ||
        mprotect(region->base + region->committed, more, PROT_READ | PROT_WRITE) != 0) {
        atomic_fetch_sub(&budget->used, more);
        return false;
    }
    region->committed = bytes;
    return true;
}

/* Make the first `bytes` usable; new memory is zero. False, and nothing changed, if the budget or the machine refuses. By whole huge pages: the
   system gives none that is usable in part when it is first touched. */
static bool region_commit(Region *region, size_t bytes, Budget *budget) {
    if (bytes <= region->committed) return true;
    return (bytes > HUGE_PAGE && region_commit_in(region, bytes, HUGE_PAGE, budget)) || region_commit_in(region, bytes, 65536, budget);
}

/* Give back what lies before `bytes`, as far as it fills huge pages: it is not read or written any more. */
static void region_forget(Region *region, size_t bytes, Budget *budget) {
    bytes &= ~(HUGE_PAGE - 1);
    if (bytes <= region->forgotten) return;
    size_t more = bytes - region->forgotten;
    void *given = mmap(region->base + region->forgotten, more, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (given == MAP_FAILED) return;
    region->forgotten = bytes;
    atomic_fetch_sub(&budget->used, more);
}

/* The same with room to spare if there is: for regions that grow little by little. */
static inline bool region_extend(Region *region, size_t bytes, Budget *budget) {
    if (LIKELY(bytes <= region->committed)) return true;
    size_t step = region->committed / 8;
    if (step > ((size_t)64 << 20)) step = (size_t)64 << 20;
    return region_commit(region, bytes + step, budget) || region_commit(region, bytes, budget);
}

static void region_release(Region *region) {
    if (region->mapping) munmap(region->mapping, region->reserved + (size_t)(region->base - region->mapping));
    region->mapping = NULL;
}

/* The same while the search goes on. */
static inline void region_return(Region *region, Budget *budget) {
    atomic_fetch_sub(&budget->used, region->committed - region->forgotten);
    region->committed = 0;
    region_release(region);
}

/* Sets of numbers, a bit for each. */
static inline bool bit_of(const uint64_t *bits, uint64_t i) { return bits[i / 64] >> (i % 64) & 1; }
static inline void set_bit(uint64_t *bits, uint64_t i) { bits[i / 64] |= (uint64_t)1 << (i % 64); }
static inline void clear_bit(uint64_t *bits, uint64_t i) { bits[i / 64] &= ~((uint64_t)1 << (i % 64)); }

#endif
