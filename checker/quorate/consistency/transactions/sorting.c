/* A topological order of a large graph: of the points that may come next, the one of least priority, and of those the first.
 *
 * Kahn's algorithm with a heap. The edges are lists of sources and targets; they are sorted by source by counting. */

#include <stdint.h>
#include <stdlib.h>

#define NO_MEMORY (-1)

typedef struct {
    const int64_t *priority;
    int32_t *points;
    int32_t size;
} Heap;

static int before(const Heap *heap, int32_t a, int32_t b)
{
    int64_t first = heap->priority[a], second = heap->priority[b];
    return first != second ? first < second : a < b;
}

static void push(Heap *heap, int32_t point)
{
    int32_t at = heap->size++;
    while (at > 0 && before(heap, point, heap->points[(at - 1) / 2])) {
        heap->points[at] = heap->points[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->points[at] = point;
}

static int32_t pop(Heap *heap)
{
    int32_t top = heap->points[0], last = heap->points[--heap->size], at = 0;
    for (;;) {
        int32_t child = 2 * at + 1;
        if (child >= heap->size)
            break;
        if (child + 1 < heap->size && before(heap, heap->points[child + 1], heap->points[child]))
            child++;
        if (!before(heap, heap->points[child], last))
            break;
        heap->points[at] = heap->points[child];
        at = child;
    }
    heap->points[at] = last;
    return top;
}

/* Writes the order to `order` and returns how many points are in it, fewer than `points` if there is a cycle. */
int32_t sorted_points(int32_t points, int64_t edges, const int32_t *source, const int32_t *target,
                      const int64_t *priority, int32_t *order)
{
    int64_t *first = calloc((size_t)points + 2, sizeof *first);
    int32_t *after = malloc(((size_t)edges + 1) * sizeof *after);
    int32_t *waiting = calloc((size_t)points + 1, sizeof *waiting);
    Heap heap = {priority, malloc(((size_t)points + 1) * sizeof *heap.points), 0};
    int32_t placed = NO_MEMORY;

    if (first && after && waiting && heap.points) {
        for (int64_t e = 0; e < edges; e++) {
            first[source[e] + 2]++;
            waiting[target[e]]++;
        }
        for (int32_t p = 0; p < points; p++)
            first[p + 2] += first[p + 1];
        for (int64_t e = 0; e < edges; e++)
            after[first[source[e] + 1]++] = target[e];
        for (int32_t p = 0; p < points; p++)
            if (waiting[p] == 0)
                push(&heap, p);
        placed = 0;
        while (heap.size > 0) {
            int32_t point = pop(&heap);
            order[placed++] = point;
            for (int64_t e = first[point]; e < first[point + 1]; e++)
                if (--waiting[after[e]] == 0)
                    push(&heap, after[e]);
        }
    }
    free(first);
    free(after);
    free(waiting);
    free(heap.points);
    return placed;
}
