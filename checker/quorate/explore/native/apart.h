/* A model and the engine, compiled apart.
 *
 * Nearly half of what the compiler takes for a model goes into the engine, which depends on the sizes of the model and on nothing else of it.
 * Compiled apart, both are compiled at the same time, and the engine is compiled once for all models of these sizes, such as a specification
 * and its variants. What of a model the engine calls, it calls for a state, not for a transition but for steps and symmetry: inlining it
 * there gains nothing that could be measured (bench/decisions.md).
 *
 * The model's unit is its file, with APART defined as 1 and this header in the place of the engine. The engine's unit has the same sizes,
 * APART defined as 2, model.h, this header, and then the engine. What is defined at file scope is static in both; what they share is
 * declared COMMON (model.h) and is the engine's. For each function of the model there is another that both units see. Those names are hidden
 * from whoever loads the two together (`-fvisibility=hidden`).
 */
#ifndef QUORATE_APART_H
#define QUORATE_APART_H

#if APART == 1
#define RETURNING(type, name, parameters, arguments) \
    type apart_##name parameters { return model_##name arguments; }
#define DOING(name, parameters, arguments) \
    void apart_##name parameters { model_##name arguments; }
const char *apart_key(void) { return MODEL_KEY; }
#else
#define RETURNING(type, name, parameters, arguments) \
    type apart_##name parameters;                    \
    static inline __attribute__((unused)) type model_##name parameters { return apart_##name arguments; }
#define DOING(name, parameters, arguments) \
    void apart_##name parameters;          \
    static inline __attribute__((unused)) void model_##name parameters { apart_##name arguments; }
const char *apart_key(void);
#define MODEL_KEY apart_key()
#endif

DOING(initial, (Successors * out), (out))
DOING(successors, (const State *from, Successors *out), (from, out))
RETURNING(unsigned, invariant, (const State *s), (s))
RETURNING(unsigned, invariant_after, (const State *s, unsigned group, Memo *memo), (s, group, memo))
RETURNING(uint64_t, before, (unsigned group), (group))
RETURNING(uint64_t, independent, (unsigned group), (group))
RETURNING(bool, room, (const State *s), (s))
RETURNING(unsigned, step, (const State *old, const State *new), (old, new))
RETURNING(uint64_t, reached, (const State *s, uint64_t known), (s, known))
RETURNING(bool, terminal, (const State *s), (s))
RETURNING(State, canonical, (State s), (s))
#if MODEL_LIVENESS
RETURNING(unsigned, fairness, (unsigned action), (action))
RETURNING(unsigned, arity, (unsigned action), (action))
RETURNING(int, demand, (const State *s, const Label *label, Label *demand), (s, label, demand))
RETURNING(unsigned, acceptance, (unsigned property), (property))
RETURNING(unsigned, promise, (unsigned property, const uint64_t *choice, const State *s), (property, choice, s))
RETURNING(unsigned, ends, (unsigned property, const uint64_t *choice, const State *old, const State *new), (property, choice, old, new))
#endif

#endif
