// Raft, state for state and transition for transition as specs/quorate_specs/consensus/raft.py without symmetry.
//
// Three servers, terms to 2, logs to LOG, which is 2 or 3. There is one command, so an entry is its term, 0 for none. Each message that
// can ever be sent has a bit. A reign is a term and a server: what a server sends in a term is a group of bits in the word of the kind.
// Both LOG and Bits, a word with a bit for each message that a leader can send, are given by the module that includes this file.

use stateright::{Model, Property};

use crate::bits::{ones, Field};

const SERVERS: u32 = 3;
const TERMS: u32 = 2;
const FOLLOWER: u64 = 0;
const CANDIDATE: u64 = 1;
const LEADER: u64 = 2;

// Of `local`, by server.
const TERM: Field = Field(0, 2, 2);
const VOTED_FOR: Field = Field(6, 2, 2); // 0 or 1 + server
const ROLE: Field = Field(12, 2, 2);
const COMMIT: Field = Field(18, 2, 2);
const LOGS: Field = Field(24, 2, 2 * LOG); // The entry at index i + 1 is i * 2 bits above.
// Of `local`, by reign, and by term, index and entry.
const ELECTED: Field = Field(24 + 2 * SERVERS * LOG, 1, 1);
const COMMITTED: Field = Field(ELECTED.0 + TERMS * SERVERS, 1, 1);

// Bits for each reign.
const ENDS: u32 = 1 + TERMS * LOG; // for the end of a log
const ENTRIES: u32 = (1 + TERMS * (LOG - 1)) * TERMS * (LOG + 1); // for what comes before an entry, the entry, and the commit index

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, PartialOrd, Ord)]
pub struct State {
    local: u64,
    requests: Bits, // by reign of the candidate: for the end of its log
    votes: u32,     // by reign of the candidate: 3 bits, for the voters
    replies: Bits,  // by reign of the leader: LOG bits for each other server, for the index
    appends: [Bits; (TERMS * SERVERS) as usize],
}

fn reign(term: u64, s: u32) -> u32 {
    (term as u32 - 1) * SERVERS + s
}
/// The bit of a vote, or of a set of servers, in a reign.
fn vote(reign: u32, voter: u32) -> u32 {
    1 << (SERVERS * reign + voter)
}
fn reply(reign: u32, follower: u32, index: u32) -> Bits {
    let other = (follower + SERVERS - reign % SERVERS) % SERVERS - 1;
    1 << (2 * LOG * reign + LOG * other + index - 1)
}
/// The bit of an entry at an index in its leader's word; the entry before it is 0 for none.
fn entry(index: u32, before: u64, entry: u64, commit: u64) -> Bits {
    let place = if index == 1 { 0 } else { 1 + TERMS * (index - 2) + before as u32 - 1 };
    1 << ((place * TERMS + entry as u32 - 1) * (LOG + 1) + commit as u32)
}
fn heartbeat(index: u32, entry: u64, commit: u64) -> Bits {
    1 << (ENTRIES + ((index - 1) * TERMS + entry as u32 - 1) * LOG + commit as u32 - 1)
}

impl State {
    fn get(&self, field: &Field, s: u32) -> u64 {
        field.get(self.local, s)
    }
    fn set(&mut self, field: &Field, s: u32, value: u64) {
        self.local = field.set(self.local, s, value);
    }
    fn mine(&self, s: u32) -> u32 {
        reign(self.get(&TERM, s), s)
    }
    fn term_at(&self, s: u32, index: u32) -> u64 {
        self.local >> (LOGS.0 + LOGS.2 * s + 2 * (index - 1)) & 3
    }
    /// Put an entry behind the first `length` ones, which nothing follows then.
    fn put(&mut self, s: u32, length: u32, entry: u64) {
        let (at, end) = (LOGS.0 + LOGS.2 * s + 2 * length, LOGS.0 + LOGS.2 * (s + 1));
        self.local = self.local & !((1 << end) - (1 << at)) | entry << at;
    }
    fn length(&self, s: u32) -> u32 {
        (1..=LOG).take_while(|&index| self.term_at(s, index) > 0).count() as u32
    }
    /// The end of a log, greater for one that is more up to date.
    fn last(&self, s: u32) -> u32 {
        match self.length(s) {
            0 => 0,
            length => LOG * (self.term_at(s, length) as u32 - 1) + length,
        }
    }
    fn observe(&mut self, s: u32, term: u64) {
        if term > self.get(&TERM, s) {
            self.set(&TERM, s, term);
            self.set(&VOTED_FOR, s, 0);
            self.set(&ROLE, s, FOLLOWER);
        }
    }
    fn may_commit(&self, s: u32, index: u32) -> bool {
        let later = ((1 << LOG) - 1) & !((1 << (index - 1)) - 1); // replies of a server that show it
        self.get(&COMMIT, s) < index as u64
            && self.term_at(s, index) == self.get(&TERM, s)
            && self.replies >> (2 * LOG * self.mine(s)) & (later << LOG | later) != 0
    }

    fn vote_for(&mut self, s: u32, candidacy: u32, last: u32) {
        self.observe(s, (candidacy / SERVERS + 1) as u64);
        if last >= self.last(s) {
            self.set(&VOTED_FOR, s, 1 + (candidacy % SERVERS) as u64);
            self.votes |= vote(candidacy, s);
        }
    }
    fn win(&mut self, s: u32) {
        let mine = self.mine(s);
        self.set(&ROLE, s, LEADER);
        self.set(&ELECTED, mine, 1);
        for index in 1..=self.length(s) {
            self.send(s, index);
        }
    }
    /// Send the entry at an index.
    fn send(&mut self, s: u32, index: u32) {
        let before = if index == 1 { 0 } else { self.term_at(s, index - 1) };
        self.appends[self.mine(s) as usize] |= entry(index, before, self.term_at(s, index), self.get(&COMMIT, s));
    }
    fn client_asks(&mut self, s: u32) {
        let length = self.length(s);
        self.put(s, length, self.get(&TERM, s));
        self.send(s, length + 1);
    }
    fn handle_append(&mut self, s: u32, leadership: u32, message: u32) {
        self.observe(s, (leadership / SERVERS + 1) as u64);
        self.set(&ROLE, s, FOLLOWER);
        let (index, commit);
        if message < ENTRIES {
            let (place, entry) = (message / (LOG + 1) / TERMS, (message / (LOG + 1) % TERMS + 1) as u64);
            commit = message % (LOG + 1);
            index = if place == 0 { 1 } else { 2 + (place - 1) / TERMS };
            if place > 0 && self.term_at(s, index - 1) != ((place - 1) % TERMS + 1) as u64 {
                return;
            }
            if self.term_at(s, index) != entry {
                self.put(s, index - 1, entry);
            }
        } else {
            let (place, known) = ((message - ENTRIES) / LOG, (message - ENTRIES) % LOG + 1);
            (index, commit) = (place / TERMS + 1, known);
            if self.term_at(s, index) != (place % TERMS + 1) as u64 {
                return;
            }
        }
        self.replies |= reply(leadership, s, index);
        self.set(&COMMIT, s, self.get(&COMMIT, s).max(commit.min(index) as u64));
    }
    fn commit(&mut self, s: u32, index: u32) {
        let (mine, known) = (self.mine(s), self.get(&COMMIT, s) as u32);
        self.set(&COMMIT, s, index as u64);
        for j in known + 1..=index {
            let entry = self.term_at(s, j);
            self.set(&COMMITTED, mine / SERVERS * TERMS * LOG + TERMS * (j - 1) + entry as u32 - 1, 1);
            self.appends[mine as usize] |= heartbeat(j, entry, index as u64);
        }
    }

    fn log(&self, s: u32) -> u64 {
        self.local >> (LOGS.0 + LOGS.2 * s) & ((1 << LOGS.2) - 1)
    }
    /// What server `s` is, without naming another.
    fn key(&self, s: u32) -> u64 {
        [&TERM, &ROLE, &COMMIT].into_iter().fold(self.log(s), |key, field| key << 2 | self.get(field, s))
    }
    /// The state with server `s` renamed to `to[s]`.
    fn renamed(&self, to: &[u32; 3]) -> State {
        let mut other = State { local: self.local, requests: 0, votes: 0, replies: 0, appends: [0; 6] };
        for s in 0..SERVERS {
            let new = to[s as usize];
            for field in [&TERM, &ROLE, &COMMIT] {
                other.set(field, new, self.get(field, s));
            }
            let at = LOGS.0 + LOGS.2 * new;
            other.local = other.local & !(((1 << LOGS.2) - 1) << at) | self.log(s) << at;
            let voted_for = self.get(&VOTED_FOR, s);
            other.set(&VOTED_FOR, new, if voted_for == 0 { 0 } else { 1 + to[voted_for as usize - 1] as u64 });
            for term in 0..TERMS {
                let (from, into) = (term * SERVERS + s, term * SERVERS + new);
                other.set(&ELECTED, into, self.get(&ELECTED, from));
                other.appends[into as usize] = self.appends[from as usize];
                other.requests |= (self.requests >> (ENDS * from) & ((1 << ENDS) - 1)) << (ENDS * into);
                for follower in 0..SERVERS {
                    if self.votes & vote(from, follower) != 0 {
                        other.votes |= vote(into, to[follower as usize]);
                    }
                    for index in (1..=LOG).filter(|_| follower != s) {
                        if self.replies & reply(from, follower, index) != 0 {
                            other.replies |= reply(into, to[follower as usize], index);
                        }
                    }
                }
            }
        }
        other
    }
}

/// The least state of an orbit among those with the servers in the order of their keys: exact, and ties alone are permuted.
pub fn representative(state: &State) -> State {
    const ORDERS: [[u32; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let keys = [state.key(0), state.key(1), state.key(2)];
    let sorted = |order: &&[u32; 3]| order.windows(2).all(|pair| keys[pair[0] as usize] <= keys[pair[1] as usize]);
    let renamings = ORDERS.iter().filter(sorted).map(|order| {
        let mut to = [0; 3];
        (0..SERVERS).for_each(|new| to[order[new as usize] as usize] = new);
        state.renamed(&to)
    });
    renamings.min().expect("some order is sorted")
}

pub struct Raft;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    TimeOut(u32),
    HandleRequest(u32, u32, u32),
    Win(u32),
    Restart(u32),
    Request(u32),
    HandleAppend(u32, u32, u32),
    Commit(u32, u32),
}

impl Model for Raft {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State { local: 0, requests: 0, votes: 0, replies: 0, appends: [0; 6] }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        for s in 0..SERVERS {
            let (term, role) = (state.get(&TERM, s), state.get(&ROLE, s));
            if role == LEADER {
                actions.push(Step::Restart(s));
                if state.length(s) < LOG {
                    actions.push(Step::Request(s));
                }
                actions.extend((1..=LOG).filter(|&index| state.may_commit(s, index)).map(|index| Step::Commit(s, index)));
            } else if term < TERMS as u64 {
                actions.push(Step::TimeOut(s));
            }
            if role == CANDIDATE && state.votes & 7 * vote(state.mine(s), 0) != 0 {
                actions.push(Step::Win(s));
            }
            let first = if term == 2 { SERVERS } else { 0 };
            for from in (first..SERVERS * TERMS).filter(|from| from % SERVERS != s) {
                if (from / SERVERS + 1) as u64 > term || state.get(&VOTED_FOR, s) == 0 {
                    let requests = state.requests >> (ENDS * from) & ((1 << ENDS) - 1);
                    actions.extend(ones(requests).map(|last| Step::HandleRequest(s, from, last)));
                }
                actions.extend(ones(state.appends[from as usize]).map(|message| Step::HandleAppend(s, from, message)));
            }
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = *state;
        match step {
            Step::TimeOut(s) => {
                next.set(&TERM, s, state.get(&TERM, s) + 1);
                next.set(&ROLE, s, CANDIDATE);
                next.set(&VOTED_FOR, s, 1 + s as u64);
                next.requests |= 1 << (ENDS * next.mine(s) + next.last(s));
            }
            Step::HandleRequest(s, candidacy, last) => next.vote_for(s, candidacy, last),
            Step::Win(s) => next.win(s),
            Step::Restart(s) => next.set(&ROLE, s, FOLLOWER),
            Step::Request(s) => next.client_asks(s),
            Step::HandleAppend(s, leadership, message) => next.handle_append(s, leadership, message),
            Step::Commit(s, index) => next.commit(s, index),
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        const PAIRS: [(u32, u32); 3] = [(0, 1), (0, 2), (1, 2)];
        vec![
            Property::always("election safety", |_: &Raft, state: &State| {
                (0..TERMS).all(|term| (state.local >> (ELECTED.0 + SERVERS * term) & 7).count_ones() <= 1)
            }),
            Property::always("log matching", |_: &Raft, state: &State| {
                PAIRS.iter().all(|&(a, b)| {
                    let same = state.log(a) ^ state.log(b); // Where both have an entry of one term, so have they before.
                    (2..=LOG).all(|i| {
                        let here = state.term_at(a, i);
                        here == 0 || here != state.term_at(b, i) || same & ((1 << (2 * (i - 1))) - 1) == 0
                    })
                })
            }),
            Property::always("leader completeness", |_: &Raft, state: &State| {
                // Only what is committed in term 1 binds a later leader, that of term 2.
                let binding = (state.local >> COMMITTED.0 & ((1 << (TERMS * LOG)) - 1)) as u32;
                (0..SERVERS).filter(|&s| state.get(&ROLE, s) == LEADER && state.get(&TERM, s) == 2).all(|s| {
                    ones(binding).all(|bit| state.term_at(s, bit / TERMS + 1) == (bit % TERMS + 1) as u64)
                })
            }),
            Property::always("state machine safety", |_: &Raft, state: &State| {
                PAIRS.iter().all(|&(a, b)| {
                    let known = state.get(&COMMIT, a).min(state.get(&COMMIT, b)) as u32;
                    (1..=known).all(|index| state.term_at(a, index) == state.term_at(b, index))
                })
            }),
        ]
    }
}
