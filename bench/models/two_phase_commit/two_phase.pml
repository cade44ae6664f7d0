/* Two-phase commit for Spin, in the form that suits it best: one process, bit masks, one d_step for each transition.
   low and high hold two bits for each resource manager: working 00, prepared 10, committed 01, aborted 11. Atomicity is checked where it can break. */
#ifndef RM
#define RM 9
#endif
#define ALL ((1 << RM) - 1)

unsigned low : RM = 0;
unsigned high : RM = 0;
unsigned messages : RM = 0;
unsigned at_tm : RM = 0;
unsigned tm : 2 = 0;
bool commit_sent = false;
bool abort_sent = false;

#define ATOMICITY assert(!(high & ~low) || !(high & low))

#define OPTIONS(r) \
    :: d_step { tm == 0 && (messages & (1 << r)) -> at_tm = at_tm | (1 << r) } \
    :: d_step { !((low | high) & (1 << r)) -> low = low | (1 << r); messages = messages | (1 << r) } \
    :: d_step { !((low | high) & (1 << r)) -> low = low | (1 << r); high = high | (1 << r); ATOMICITY } \
    :: d_step { commit_sent -> low = low & ~(1 << r); high = high | (1 << r); ATOMICITY } \
    :: d_step { abort_sent -> low = low | (1 << r); high = high | (1 << r); ATOMICITY }

active proctype system() {
end:
    do
    :: d_step { tm == 0 && at_tm == ALL -> tm = 1; commit_sent = true }
    :: d_step { tm == 0 -> tm = 2; abort_sent = true }
    OPTIONS(0)
    OPTIONS(1)
    OPTIONS(2)
#if RM > 3
    OPTIONS(3)
#endif
#if RM > 4
    OPTIONS(4)
#endif
#if RM > 5
    OPTIONS(5)
#endif
#if RM > 6
    OPTIONS(6)
#endif
#if RM > 7
    OPTIONS(7)
#endif
#if RM > 8
    OPTIONS(8)
#endif
#if RM > 9
    OPTIONS(9)
#endif
    od
}
