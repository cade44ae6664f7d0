/* Runs a hand-made model to the end and prints what it found: `run WORKERS [MEGABYTES]`. Included after a model. */
int main(int argc, char **argv) {
    Options options = {.workers = argc > 1 ? strtoull(argv[1], NULL, 10) : 1,
                       .memory_limit = (argc > 2 ? strtoull(argv[2], NULL, 10) : 4096) << 20,
                       .states_max = UINT64_MAX};
    Search *search = quorate_open(&options, options.workers);
    if (!search || quorate_start(search) != 0) return 1;
    while (!quorate_wait(search, 1000)) continue;
    Report report;
    quorate_report(search, &report);
    printf("states=%llu transitions=%llu depth=%llu event=%lld stop=%lld reached=%llx bytes=%llu trace=%llu",
           (unsigned long long)report.states, (unsigned long long)report.transitions, (unsigned long long)report.depth,
           (long long)report.event, (long long)report.stop, (unsigned long long)report.reached,
           (unsigned long long)report.memory_bytes, (unsigned long long)report.trace_length);
    for (size_t i = 0; i < report.trace_length; i++) {
        uint64_t state[MODEL_WORDS], args[MODEL_ARGS];
        uint32_t action, error;
        quorate_trace_step(search, i, state, args, &action, &error);
        printf(" %u/%llx", action, (unsigned long long)state[MODEL_WORDS - 1]);
    }
    printf("\n");
    quorate_close(search);
    return 0;
}
