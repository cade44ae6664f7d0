/* Runs a hand-made model to its end and prints what it found. Included after a model.
 *
 *     run WORKERS [MEGABYTES [CHECKPOINT [STATES [DIRECTORY]]]]
 *
 * With a checkpoint file the search goes on from it if it exists, and writes it at once and then several times a second. Compiled with
 * TRAP_AT, a number leaves its bits once so many states are found, and checkpoints are asked for after that.
 */
#ifndef CHECKPOINT_MS
#define CHECKPOINT_MS 400
#endif

static void show(Search *search) {
    Report report;
    quorate_report(search, &report);
    printf("states=%llu transitions=%llu depth=%llu event=%lld stop=%lld reached=%llx bytes=%llu checkpoints=%llu fired=",
           (unsigned long long)report.states, (unsigned long long)report.transitions, (unsigned long long)report.depth,
           (long long)report.event, (long long)report.stop, (unsigned long long)report.reached,
           (unsigned long long)report.memory_bytes, (unsigned long long)report.checkpoints);
    for (size_t i = 0; i < MODEL_ACTIONS; i++) printf("%s%llu", i ? "," : "", (unsigned long long)report.fired[i]);
    printf(" trace=");
    for (size_t i = 0; i < report.trace_length; i++) {
        uint64_t state[MODEL_WORDS], args[MODEL_ARGS];
        uint32_t action, error;
        quorate_trace_step(search, i, state, args, &action, &error);
        printf("%s%u:%llx", i ? "," : "", action, (unsigned long long)state[MODEL_WORDS - 1]);
    }
    printf("\n");
}

int main(int argc, char **argv) {
    const char *path = argc > 3 && argv[3][0] ? argv[3] : NULL;
    Options options = {.workers = argc > 1 ? strtoull(argv[1], NULL, 10) : 1,
                       .memory_limit = (argc > 2 ? strtoull(argv[2], NULL, 10) : 4096) << 20,
                       .states_max = argc > 4 && argv[4][0] ? strtoull(argv[4], NULL, 10) : UINT64_MAX,
                       .directory = argc > 5 ? argv[5] : NULL};
    uint64_t arenas = path ? quorate_checkpoint_arenas(path) : 0;
    Search *search = quorate_open(&options, arenas > options.workers ? arenas : options.workers);
    if (!search) return 1;
    if (arenas) {
        const char *wrong = quorate_resume(search, path);
        if (wrong) {
            printf("refused: %s\n", wrong);
            quorate_close(search);
            return 2;
        }
        fprintf(stderr, "resumed\n");
    }
    if (quorate_start(search) != 0) return 1;
#ifdef TRAP_AT
    int status;
    for (Report now = {0}; now.states < TRAP_AT; quorate_report(search, &now)) quorate_wait(search, 1);
    trap(&status, 0);
#endif
    do {
        if (path) quorate_checkpoint(search, path);
    } while (!quorate_wait(search, path ? CHECKPOINT_MS : 100));
    show(search);
    if (*quorate_failure(search)) fprintf(stderr, "%s\n", quorate_failure(search));
    quorate_close(search);
    return 0;
}
