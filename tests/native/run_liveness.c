/* Checks the liveness of listed graphs. Included after models/listed.c.
 *
 *     run_liveness [KILOBYTES [STATES [WORKERS [FILE [EXPANSIONS]]]]] < graphs
 *
 * A graph is: property, number of states, number of initial states; for each state the answer of its promise (1 begins, 2 fulfilled, 4
 * raises), the number of its transitions, and each of them as action, argument, target (-1 if cut). For each graph one line
 * is printed: verdict, states, transitions, stop, and how many states begin, pend, and can leave; the steps of the lasso after "|", the loop after ";"; after "|" every
 * state with its component. With a file, one graph is gone on with if it is there, and is written as often as can be; the process is killed when so
 * many states were expanded. What is wrong with the file is printed instead of the line.
 */
#include <signal.h>

static Liveness *running;
static _Atomic uint64_t expansions;

/* Have the graph written before the next block, or end at once. */
static void expand_or_die(void) {
    if (atomic_fetch_sub(&expansions, 1) == 1) raise(SIGKILL);
    quorate_liveness_checkpoint(running);
}

static uint64_t read_number(void) {
    long long value;
    if (scanf("%lld", &value) != 1) exit(3);
    return (uint64_t)value;
}

static void read_graph(uint64_t states) {
    uint64_t lines = 0, capacity = 16;
    listed.states = states;
    listed.initial = read_number();
    listed.begin = calloc(states + 1, sizeof *listed.begin);
    listed.promises = calloc(states + 1, sizeof *listed.promises);
    listed.lines = malloc(capacity * sizeof *listed.lines);
    for (uint64_t n = 0; n < states; n++) {
        listed.promises[n] = (unsigned)read_number();
        listed.begin[n] = lines;
        for (uint64_t left = read_number(); left > 0; left--) {
            if (lines == capacity) listed.lines = realloc(listed.lines, (capacity *= 2) * sizeof *listed.lines);
            Line *line = &listed.lines[lines++];
            line->action = read_number();
            line->argument = read_number();
            line->target = read_number();
        }
    }
    listed.begin[states] = lines;
}

static void show_lasso(Liveness *l, const LivenessReport *report) {
    for (uint64_t i = 0; i <= report->path_length; i++) {
        uint64_t args[MODEL_ARGS];
        uint32_t action;
        if (!quorate_liveness_step(l, i, args, &action)) exit(4);
        printf("%s%u:%llu", i == 0 ? "" : i == report->stem_length + 1 ? ";" : ",", action, (unsigned long long)args[0]);
    }
}

static void show_components(Liveness *l, uint64_t states) {
    for (uint64_t n = 0; n < states; n++) {
        uint64_t component = quorate_liveness_component(l, n);
        if (component != UINT64_MAX)
            printf(" %llu:%llu", (unsigned long long)state_of(&l->graph, n).w[0], (unsigned long long)component);
    }
}

int main(int argc, char **argv) {
    uint64_t kilobytes = argc > 1 ? strtoull(argv[1], NULL, 10) : 1 << 20;
    uint64_t limit = argc > 2 ? strtoull(argv[2], NULL, 10) : UINT64_MAX;
    uint64_t workers = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    const char *file = argc > 4 ? argv[4] : NULL;
    atomic_store(&expansions, argc > 5 ? strtoull(argv[5], NULL, 10) : 0);
    for (long long property; scanf("%lld", &property) == 1;) {
        read_graph(read_number());
        Liveness *l = quorate_liveness_open(kilobytes << 10, limit, workers);
        if (!l) return 1;
        const char *wrong = file && access(file, F_OK) == 0 ? quorate_liveness_resume(l, file) : NULL;
        if (wrong) printf("%s\n", wrong);
        if (wrong) return quorate_liveness_close(l), 2;
        if (file && quorate_liveness_keep(l, file)) return 1;
        running = l;
        listed_expanding = file ? expand_or_die : NULL;
        uint64_t choice[1] = {0};
        int verdict = quorate_liveness_build(l) ? quorate_liveness_check(l, (uint64_t)property, choice) : LIVENESS_STOPPED;
        LivenessReport report;
        quorate_liveness_report(l, &report);
        printf("%d %llu %llu %llu %llu %llu %llu|", verdict, (unsigned long long)report.states, (unsigned long long)report.transitions,
               (unsigned long long)report.stop, (unsigned long long)report.begun, (unsigned long long)report.pending,
               (unsigned long long)report.open);
        if (verdict == LIVENESS_VIOLATED || verdict == LIVENESS_ERROR || report.forced) show_lasso(l, &report);
        printf("|");
        if (verdict == LIVENESS_HOLDS || verdict == LIVENESS_VIOLATED) show_components(l, report.states);
        printf("\n");
        quorate_liveness_close(l);
        free(listed.begin);
        free(listed.promises);
        free(listed.lines);
    }
    return 0;
}
