/* A model and the engine, compiled apart.
 *
 * Nearly half of what the compiler takes for a model goes into the engine, which depends on the sizes of the model and on nothing else of it.
 * Compiled apart, both are compiled at the same time, and the engine is compiled once for all models of these sizes, such as a specification
 * and its variants. What of a model the engine calls, it calls for a state, not for a transition but for steps and symmetry: inlining it
 * there gains nothing that could be measured (bench/decisions.md).
 *
 * The model's unit is its file, with APART defined as 1 and this header in the place of the engine. The engine's unit has the same sizes,
 * APART defined as 2, model.h, this header, and then the engine. What is defined at file scope is static in both. The model shows the engine
 * a table of its functions, and the engine the model what both have in common (numbers.h), of which there is one, the engine's.
 *
 * One model may take over from another. A library begins with its own, which may have been compiled quickly; another library, of the same
 * text, shows a table of functions that were compiled well, and the engine goes on with these. It may do so at any moment, between any two
 * calls, whatever each worker is doing: what a function of a model answers depends on its arguments and on what is in common, and on nothing
 * that a model keeps for itself but what it would compute again. What the two have in common is the engine's own all the time; what is
 * remembered is the worker's, in the same form for both, since the text is the same. The library that is left stays loaded.
 */
#ifndef QUORATE_APART_H
#define QUORATE_APART_H

#define OF_SEARCHES(EACH)                                                                                    \
    EACH(void, initial, (Successors * out), (out))                                                           \
    EACH(void, successors, (const State *from, Successors *out), (from, out))                                \
    EACH(unsigned, invariant, (const State *s), (s))                                                         \
    EACH(unsigned, invariant_after, (const State *s, unsigned group, Memo *memo), (s, group, memo))          \
    EACH(uint64_t, before, (unsigned group), (group))                                                        \
    EACH(uint64_t, independent, (unsigned group), (group))                                                   \
    EACH(bool, room, (const State *s), (s))                                                                  \
    EACH(unsigned, step, (const State *old, const State *new), (old, new))                                   \
    EACH(uint64_t, reached, (const State *s, uint64_t known), (s, known))                                    \
    EACH(bool, terminal, (const State *s), (s))                                                              \
    EACH(State, canonical, (State s, Memo *memo), (s, memo))
#if MODEL_LIVENESS
#define OF_LIVENESS(EACH)                                                                                    \
    EACH(unsigned, fairness, (unsigned action), (action))                                                    \
    EACH(unsigned, arity, (unsigned action), (action))                                                       \
    EACH(int, demand, (const State *s, const Label *label, Label *demand), (s, label, demand))               \
    EACH(unsigned, acceptance, (unsigned property), (property))                                              \
    EACH(unsigned, promise, (unsigned property, const uint64_t *choice, const State *s), (property, choice, s)) \
    EACH(unsigned, ends, (unsigned property, const uint64_t *choice, const State *old, const State *new),    \
         (property, choice, old, new))
#else
#define OF_LIVENESS(EACH)
#endif

#define FIELD(type, name, parameters, arguments) type(*name) parameters;
typedef struct {
    const char *key; /* MODEL_KEY */
    OF_SEARCHES(FIELD)
    OF_LIVENESS(FIELD)
} Model;

/* The table of the model that is in this library, which from now on has this in common with the engine. */
const Model *apart_model(Common *given);

#if APART == 1
#define ENTRY(type, name, parameters, arguments) .name = model_##name,
const Model *apart_model(Common *given) {
    static const Model model = {.key = MODEL_KEY, OF_SEARCHES(ENTRY) OF_LIVENESS(ENTRY)};
    common = given;
    return &model;
}

/* The same for the engine of another library. The one of this library is not to be used any more. */
EXPORT const void *quorate_model(void *given) { return apart_model(given); }
#else
static const Model *own_model;
static _Atomic(const Model *) current_model;

static __attribute__((constructor)) void model_open(void) {
    own_model = apart_model(&all_common);
    atomic_store(&current_model, own_model);
}

static inline const Model *model_now(void) {
#ifdef ALTERNATING /* Tests: every other call is of the library's own model, whatever has taken over. */
    static _Thread_local unsigned calls;
    if (calls++ % 2 == 0) return own_model;
#endif
    return atomic_load_explicit(&current_model, memory_order_acquire);
}

/* What the engine and its model have in common. */
EXPORT void *quorate_common(void) { return common; }

/* Go on with another library's model, which has this in common with the engine. Whether it is the same model. */
EXPORT int quorate_take_over(const void *model) {
    if (strcmp(((const Model *)model)->key, own_model->key) != 0) return 0;
    atomic_store_explicit(&current_model, model, memory_order_release);
    return 1;
}

#define CALL(type, name, parameters, arguments) \
    static inline __attribute__((unused)) type model_##name parameters { return model_now()->name arguments; }
OF_SEARCHES(CALL)
OF_LIVENESS(CALL)
#define MODEL_KEY (own_model->key)
#endif

#endif
