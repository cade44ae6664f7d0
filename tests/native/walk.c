/* Random runs of a hand-made model by several threads. Included after a model.
 *
 *     walk WORKERS RUNS LENGTH SEED [swarm]
 *
 * Compiled with -DMODEL_GUIDED=1 the runs are guided, in eight epochs, by actions and all of the state.
 *
 * Prints what all runs did together, and the length of the last one, walked again.
 */
enum { THREADS_MAX = 16 };

typedef struct {
    Plan plan;
    Simulated total;
    pthread_t thread;
#if MODEL_GUIDED
    Finds *found;
#endif
} Part;

#if MODEL_GUIDED
enum { EPOCHS = 8 };
static Guide *guide;

static uint64_t model_reads(const State *from, const Label *label) { return (hash_words(from->w, MODEL_WORDS) ^ label->action) | 1; }
#else
enum { EPOCHS = 1 };
static const Guide *const guide = NULL;
#endif

static void *walk_part(void *argument) {
    static const volatile int go_on = 0;
    Part *part = argument;
#if MODEL_GUIDED
    part->found = quorate_guided(&part->plan, guide, &part->total, &go_on);
#else
    quorate_simulate(&part->plan, &part->total, &go_on);
#endif
    return NULL;
}

/* All workers walk some of these runs. False without memory. */
static bool walk_together(Part *parts, uint64_t workers, uint64_t first, uint64_t runs, Plan plan) {
    bool good = true;
    for (uint64_t i = 0; i < workers; i++) {
        uint64_t from = runs * i / workers, to = runs * (i + 1) / workers;
        parts[i].plan = plan;
        parts[i].plan.first_run = first + from;
        parts[i].plan.runs = to - from;
        if (pthread_create(&parts[i].thread, NULL, walk_part, &parts[i]) != 0) return false;
    }
    for (uint64_t i = 0; i < workers; i++) pthread_join(parts[i].thread, NULL);
#if MODEL_GUIDED
    for (uint64_t i = 0; i < workers; i++) good &= parts[i].found && quorate_guide_learn(guide, parts[i].found) == 0;
    good &= quorate_guide_weigh(guide) == 0;
#endif
    return good;
}

int main(int argc, char **argv) {
    Part parts[THREADS_MAX];
    if (argc < 5) return 2;
    uint64_t workers = strtoull(argv[1], NULL, 10), runs = strtoull(argv[2], NULL, 10), steps = 0, fired = 0, violated = 0;
    Plan plan = {strtoull(argv[4], NULL, 10), 0, 0, strtoull(argv[3], NULL, 10), argc > 5 || MODEL_GUIDED};
#if MODEL_GUIDED
    if (!(guide = quorate_guide_open())) return 1;
#endif
    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
        if (!walk_together(parts, workers, epoch * runs / EPOCHS, runs / EPOCHS, plan)) return 1;
        for (uint64_t i = 0; i < workers; i++) {
            steps += parts[i].total.steps;
            violated += parts[i].total.event != NONE;
            for (int k = 0; k < MODEL_ACTIONS; k++) fired += parts[i].total.fired[k] * (uint64_t)(k + 1);
        }
    }
    const Simulated *total = &parts[workers - 1].total;
    plan.first_run = total->last_run;
    plan.runs = 1;
    Search *record = quorate_rerun(&plan, guide, total->last_start);
    if (!record) return 1;
    printf("steps=%llu fired=%llu violated=%llu last=%llu said=%llu\n", (unsigned long long)steps, (unsigned long long)fired,
           (unsigned long long)violated, (unsigned long long)quorate_trace_length(record) - 1, (unsigned long long)total->last_steps);
    quorate_close(record);
#if MODEL_GUIDED
    quorate_guide_close(guide);
#endif
    return 0;
}
