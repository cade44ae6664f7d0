/* Raft for Spin, state for state and transition for transition as specs/quorate_specs/consensus/raft.py without symmetry: three servers, terms and logs to 2.
 *
 * There is one command, so an entry is its term, and a log is two entries of two bits, 0 for none. Each message that can ever be sent has a bit.
 * The set of all AppendEntries of one leader in one term is a word, the sets of the other kinds are one word each.
 */
#define FOLLOWER 0
#define CANDIDATE 1
#define LEADER 2

byte term[3];
byte voted_for[3];               /* 0, or 1 + server */
byte role[3];
byte log[3];
byte commit_index[3];
byte elected;                    /* a bit for each REIGN */
byte committed;                  /* a bit for each term, index and entry */
int requests;
int votes;
int replies;
int appends[6];                  /* by REIGN */

#define REIGN(t, s) (((t) - 1) * 3 + (s))
#define MINE(s) REIGN(term[s], s)
#define FIRST(s) (log[s] & 3)
#define SECOND(s) (log[s] >> 2)
#define MAX(x, y) ((x) > (y) -> (x) : (y))

/* The end of a log, greater for one that is more up to date: empty; term 1, index 1; term 1, index 2; term 2, index 1; term 2, index 2. */
#define LAST(s) (log[s] > 3 -> 2 * SECOND(s) : (log[s] -> 2 * log[s] - 1 : 0))
#define REQUEST(t, c, last) (1 << (5 * REIGN(t, c) + (last)))
#define VOTE(t, v, c) (1 << (3 * REIGN(t, c) + (v)))
#define REPLY(t, f, l, match) (1 << (4 * REIGN(t, l) + 2 * (((f) - (l) + 3) % 3 - 1) + (match) - 1))
#define COMMITMENT(t, i, e) (1 << (4 * ((t) - 1) + 2 * ((i) - 1) + (e) - 1))

/* AppendEntries. What comes before an entry is nothing (0) or an entry of term 1 or 2. A heartbeat follows index 1 or 2, with commit index 1 or 2. */
#define ENTRY(before, e, commit) (1 << (6 * (before) + 3 * ((e) - 1) + (commit)))
#define HEARTBEAT(i, e, commit) (1 << (18 + 4 * ((i) - 1) + 2 * ((e) - 1) + (commit) - 1))
#define SEND(s, message) appends[MINE(s)] = appends[MINE(s)] | message

/* Each property is checked where it can break. */
#define ELECTED_ONE(set) (((set) & ((set) - 1)) == 0)
#define ELECTION_SAFETY assert(ELECTED_ONE(elected & 7) && ELECTED_ONE(elected >> 3))
#define MATCH(a, b) (SECOND(a) == 0 || SECOND(a) != SECOND(b) || log[a] == log[b])
#define LOG_MATCHING assert(MATCH(0, 1) && MATCH(0, 2) && MATCH(1, 2))
#define LOST(s, i_e, entry, e) ((committed & (i_e)) && (entry) != (e))
#define COMPLETE(s) (role[s] != LEADER || term[s] < 2 || !(LOST(s, 1, FIRST(s), 1) || LOST(s, 2, FIRST(s), 2) \
    || LOST(s, 4, SECOND(s), 1) || LOST(s, 8, SECOND(s), 2)))
#define LEADER_COMPLETENESS assert(COMPLETE(0) && COMPLETE(1) && COMPLETE(2))
#define BOTH(a, b, i) (commit_index[a] >= (i) && commit_index[b] >= (i))
#define EXECUTE(a, b) ((!BOTH(a, b, 1) || FIRST(a) == FIRST(b)) && (!BOTH(a, b, 2) || SECOND(a) == SECOND(b)))
#define STATE_MACHINE_SAFETY assert(EXECUTE(0, 1) && EXECUTE(0, 2) && EXECUTE(1, 2))

inline observe(s, t) {
    if
    :: t > term[s] -> term[s] = t; voted_for[s] = 0; role[s] = FOLLOWER
    :: else
    fi
}

#define TIME_OUT(s) \
    :: d_step { role[s] != LEADER && term[s] < 2 -> \
        term[s] = term[s] + 1; role[s] = CANDIDATE; voted_for[s] = 1 + s; \
        requests = requests | REQUEST(term[s], s, LAST(s)) }

/* First whose messages, if there are any, then which: what is stored is only the state after both. */
#define A_REQUEST(s, c, t, last) \
    :: d_step { requests & REQUEST(t, c, last) -> \
        observe(s, t); \
        if :: last >= LAST(s) -> voted_for[s] = 1 + c; votes = votes | VOTE(t, s, c) :: else fi }
#define HANDLE_REQUEST(s, c, t) \
    :: atomic { (requests & 31 * REQUEST(t, c, 0)) && (t > term[s] || (t == term[s] && voted_for[s] == 0)) -> \
        if A_REQUEST(s, c, t, 0) A_REQUEST(s, c, t, 1) A_REQUEST(s, c, t, 2) A_REQUEST(s, c, t, 3) A_REQUEST(s, c, t, 4) fi }

#define WIN(s) \
    :: d_step { role[s] == CANDIDATE && (votes & 7 * VOTE(term[s], 0, s)) -> \
        role[s] = LEADER; elected = elected | 1 << MINE(s); \
        if :: log[s] -> SEND(s, ENTRY(0, FIRST(s), commit_index[s])) :: else fi; \
        if :: log[s] > 3 -> SEND(s, ENTRY(FIRST(s), SECOND(s), commit_index[s])) :: else fi; \
        ELECTION_SAFETY; LEADER_COMPLETENESS }

#define RESTART(s) :: d_step { role[s] == LEADER -> role[s] = FOLLOWER }

#define CLIENT(s) \
    :: d_step { role[s] == LEADER && log[s] < 4 -> \
        SEND(s, ENTRY(log[s], term[s], commit_index[s])); \
        if :: log[s] -> log[s] = log[s] | term[s] << 2 :: else -> log[s] = term[s] fi; \
        LOG_MATCHING; LEADER_COMPLETENESS; STATE_MACHINE_SAFETY }

#define LEARN(s, l, t, match, commit) \
    replies = replies | REPLY(t, s, l, match); \
    commit_index[s] = MAX(commit_index[s], (match < commit -> match : commit)); \
    LOG_MATCHING; LEADER_COMPLETENESS; STATE_MACHINE_SAFETY

#define A_FIRST(s, l, t, e, commit) \
    :: d_step { appends[REIGN(t, l)] & ENTRY(0, e, commit) -> \
        observe(s, t); role[s] = FOLLOWER; \
        if :: FIRST(s) != e -> log[s] = e :: else fi; \
        LEARN(s, l, t, 1, commit) }
#define A_SECOND(s, l, t, before, e, commit) \
    :: d_step { appends[REIGN(t, l)] & ENTRY(before, e, commit) -> \
        observe(s, t); role[s] = FOLLOWER; \
        if :: FIRST(s) == before -> log[s] = before | e << 2; LEARN(s, l, t, 2, commit) :: else fi }
#define A_HEARTBEAT(s, l, t, i, e, commit) \
    :: d_step { appends[REIGN(t, l)] & HEARTBEAT(i, e, commit) -> \
        observe(s, t); role[s] = FOLLOWER; \
        if :: (log[s] >> (2 * (i - 1)) & 3) == e -> LEARN(s, l, t, i, commit) :: else fi }
#define FIRSTS(s, l, t, e) A_FIRST(s, l, t, e, 0) A_FIRST(s, l, t, e, 1) A_FIRST(s, l, t, e, 2)
#define SECONDS(s, l, t, before, e) \
    A_SECOND(s, l, t, before, e, 0) A_SECOND(s, l, t, before, e, 1) A_SECOND(s, l, t, before, e, 2)
#define HEARTBEATS(s, l, t, i) \
    A_HEARTBEAT(s, l, t, i, 1, 1) A_HEARTBEAT(s, l, t, i, 1, 2) A_HEARTBEAT(s, l, t, i, 2, 1) A_HEARTBEAT(s, l, t, i, 2, 2)
#define HANDLE_APPEND(s, l, t) \
    :: atomic { appends[REIGN(t, l)] && t >= term[s] -> \
        if \
        FIRSTS(s, l, t, 1) FIRSTS(s, l, t, 2) \
        SECONDS(s, l, t, 1, 1) SECONDS(s, l, t, 1, 2) SECONDS(s, l, t, 2, 1) SECONDS(s, l, t, 2, 2) \
        HEARTBEATS(s, l, t, 1) HEARTBEATS(s, l, t, 2) \
        fi }

#define COMMIT_ONE(s, i, e) \
    committed = committed | COMMITMENT(term[s], i, e); SEND(s, HEARTBEAT(i, e, commit_index[s]))

/* Beside the leader one more server is a majority: any reply shows index 1, every second bit index 2. */
#define COMMIT_FIRST(s) \
    :: d_step { role[s] == LEADER && commit_index[s] == 0 && FIRST(s) == term[s] && (replies >> (4 * MINE(s)) & 15) -> \
        commit_index[s] = 1; COMMIT_ONE(s, 1, FIRST(s)); \
        LEADER_COMPLETENESS; STATE_MACHINE_SAFETY }
#define COMMIT_SECOND(s) \
    :: d_step { role[s] == LEADER && commit_index[s] < 2 && SECOND(s) == term[s] && (replies >> (4 * MINE(s)) & 10) -> \
        if \
        :: commit_index[s] == 0 -> commit_index[s] = 2; COMMIT_ONE(s, 1, FIRST(s)) \
        :: else -> commit_index[s] = 2 \
        fi; \
        COMMIT_ONE(s, 2, SECOND(s)); \
        LEADER_COMPLETENESS; STATE_MACHINE_SAFETY }

#define FROM(s, o) HANDLE_REQUEST(s, o, 1) HANDLE_REQUEST(s, o, 2) HANDLE_APPEND(s, o, 1) HANDLE_APPEND(s, o, 2)
#define SERVER(s, o, p) TIME_OUT(s) WIN(s) RESTART(s) CLIENT(s) COMMIT_FIRST(s) COMMIT_SECOND(s) FROM(s, o) FROM(s, p)

active proctype system() {
end:
    do
    SERVER(0, 1, 2)
    SERVER(1, 0, 2)
    SERVER(2, 0, 1)
    od
}
