/* Random runs of a hand-made model by several threads. Included after a model.
 *
 *     walk WORKERS RUNS LENGTH SEED
 *
 * Prints what all runs did together, and the length of the last one, walked again.
 */
typedef struct {
    Plan plan;
    Simulated total;
    pthread_t thread;
} Part;

static void *walk_part(void *argument) {
    static const volatile int go_on = 0;
    Part *part = argument;
    quorate_simulate(&part->plan, &part->total, &go_on);
    return NULL;
}

int main(int argc, char **argv) {
    enum { PARTS_MAX = 16 };
    Part parts[PARTS_MAX];
    if (argc < 5) return 2;
    uint64_t workers = strtoull(argv[1], NULL, 10), runs = strtoull(argv[2], NULL, 10), steps = 0, fired = 0, violated = 0;
    for (uint64_t i = 0; i < workers; i++) {
        uint64_t from = runs * i / workers, to = runs * (i + 1) / workers;
        parts[i].plan = (Plan){strtoull(argv[4], NULL, 10), from, to - from, strtoull(argv[3], NULL, 10), argc > 5};
        if (pthread_create(&parts[i].thread, NULL, walk_part, &parts[i]) != 0) return 1;
    }
    for (uint64_t i = 0; i < workers; i++) {
        pthread_join(parts[i].thread, NULL);
        steps += parts[i].total.steps;
        violated += parts[i].total.event != NONE;
        for (int k = 0; k < MODEL_ACTIONS; k++) fired += parts[i].total.fired[k] * (uint64_t)(k + 1);
    }
    Plan last = parts[workers - 1].plan;
    last.first_run = parts[workers - 1].total.last_run;
    last.runs = 1;
    Search *record = quorate_rerun(&last, NULL, 0);
    if (!record) return 1;
    printf("steps=%llu fired=%llu violated=%llu last=%llu said=%llu\n", (unsigned long long)steps, (unsigned long long)fired,
           (unsigned long long)violated, (unsigned long long)quorate_trace_length(record) - 1,
           (unsigned long long)parts[workers - 1].total.last_steps);
    quorate_close(record);
    return 0;
}
