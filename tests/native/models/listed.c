/* A model that is a list: states, transitions and obligations are read, not computed. With it the liveness of the engine can be run on any
 * graph without compiling anything.
 *
 * A state is a number. Actions 0, 1 and 2 are without fairness, weakly fair and strongly fair; each has one argument. Action 3 is weakly fair
 * for each half of its argument, action 4 strongly fair as a whole and only where it starts in an even state. Property 0 is an
 * `eventually`, 1 a `leads_to`, 2 `infinitely_often`, 3 `eventually_always`, 4 `eventually_from`, 5 `always_from`, with the same bits; 6 and 7
 * are 2 and 3 that steps fulfil, too: those that lead to a number which differs by one, or by three, from that of where they begin.
 */
#define MODEL_KEY "listed"
#define MODEL_WORDS 1
#define MODEL_ARGS 1
#define MODEL_ACTIONS 5
#define MODEL_BOUNDS 1
#define MODEL_HAS_STEPS 0
#define MODEL_DEADLOCK 0
#define MODEL_SYMMETRY 0
#define MODEL_GROUPS 1
#define MODEL_SLEEP 0
#define MODEL_LIVENESS 8
#include "model.h"

#define CUT UINT64_MAX

typedef struct {
    uint64_t action, argument, target; /* CUT: a bound cuts the instance */
} Line;

static struct {
    uint64_t states, initial;
    uint64_t *begin; /* where the transitions of a state begin; one more entry than states */
    Line *lines;
    unsigned *promises;
} listed;

static void (*listed_expanding)(void); /* called when a state is expanded, if there is one */

#define place(number) (&(const State){{number}})

static void model_initial(Successors *out) {
    for (uint64_t i = 0; i < listed.initial; i++) emit_initial(out, place(i), &i);
}

static void model_successors(const State *from, Successors *out) {
    if (listed_expanding) listed_expanding();
    for (uint64_t i = listed.begin[from->w[0]]; i < listed.begin[from->w[0] + 1]; i++) {
        const Line *line = &listed.lines[i];
        if (line->target == CUT && line->action == 0)
            cut(out, 0);
        else if (line->target == CUT)
            cut_fair(out, 0, from, (uint32_t)line->action, &line->argument, 1);
        else
            emit(out, from, place(line->target), (uint32_t)line->action, 0, &line->argument, 1);
    }
}

static unsigned model_invariant(const State *s) { return (void)s, NONE; }
static unsigned model_invariant_after(const State *s, unsigned group, Memo *memo) { return (void)s, (void)group, (void)memo, NONE; }
static inline uint64_t model_before(unsigned group) { return (void)group, 0; }
static inline uint64_t model_independent(unsigned group) { return (void)group, 0; }
static bool model_room(const State *s) { return (void)s, true; }
static unsigned model_step(const State *old, const State *new) { return (void)old, (void)new, NONE; }
static uint64_t model_reached(const State *s, uint64_t known) { return (void)s, known; }
static bool model_terminal(const State *s) { return (void)s, true; }
static State model_canonical(State s, Memo *memo) { (void)memo; return s; }

static unsigned model_fairness(unsigned action) { return action > 2 ? action - 2 : action; }
static int model_demand(const State *s, const Label *label, Label *demand) {
    *demand = *label;
    if (label->action == 3) demand->args[0] /= 2;
    if (label->action == 4) demand->args[0] = 0;
    return label->action != 0 && (label->action != 4 || s->w[0] % 2 == 0);
}
static unsigned model_arity(unsigned action) { return (void)action, 1; }
static unsigned model_acceptance(unsigned property) {
    static const unsigned known[] = {PROMISE_NEVER | PROMISE_INITIALLY,
                                     PROMISE_NEVER,
                                     PROMISE_NEVER | PROMISE_ENDLESS,
                                     PROMISE_AGAIN | PROMISE_INITIALLY | PROMISE_ENDLESS,
                                     PROMISE_NEVER | PROMISE_INITIALLY,
                                     PROMISE_ONCE | PROMISE_INITIALLY,
                                     PROMISE_NEVER | PROMISE_ENDLESS | PROMISE_STEPS,
                                     PROMISE_AGAIN | PROMISE_ENDLESS | PROMISE_STEPS};
    return known[property];
}

static unsigned model_promise(unsigned property, const uint64_t *choice, const State *s) {
    (void)property, (void)choice;
    return listed.promises[s->w[0]];
}

static unsigned model_ends(unsigned property, const uint64_t *choice, const State *old, const State *new) {
    (void)property, (void)choice;
    uint64_t a = old->w[0], b = new->w[0], apart = a < b ? b - a : a - b;
    return (apart == 1 || apart == 3) << 1;
}

#include "engine.c"
