//! Raft, state for state and transition for transition as specs/quorate_specs/consensus/raft.py without symmetry.
//!
//! Three servers, terms to 2, logs to 2. There is one command, so an entry is its term, 0 for none. Each message that can ever be
//! sent has a bit. A reign is a term and a server: what a server sends in a term is a group of bits in the word of the kind.

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
const FIRST: Field = Field(18, 2, 2); // The log's first entry.
const SECOND: Field = Field(24, 2, 2);
const COMMIT: Field = Field(30, 2, 2);
// Of `local`, by reign, and by term, index and entry.
const ELECTED: Field = Field(36, 1, 1);
const COMMITTED: Field = Field(42, 1, 1);

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, PartialOrd, Ord)]
pub struct State {
    local: u64,
    requests: u32, // by reign of the candidate: 5 bits, for the end of its log
    votes: u32,    // by reign of the candidate: 3 bits, for the voters
    replies: u32,  // by reign of the leader: 2 bits for each other server, for the index
    appends: [u32; 6],
}

fn reign(term: u64, s: u32) -> u32 {
    (term as u32 - 1) * SERVERS + s
}
/// The bit of a vote, or of a set of servers, in a reign.
fn vote(reign: u32, voter: u32) -> u32 {
    1 << (SERVERS * reign + voter)
}
fn reply(reign: u32, follower: u32, index: u64) -> u32 {
    let other = (follower + SERVERS - reign % SERVERS) % SERVERS - 1;
    1 << (4 * reign + 2 * other + index as u32 - 1)
}
/// The bit of an entry in its leader's word; the one before it is 0 for none.
fn entry(before: u64, entry: u64, commit: u64) -> u32 {
    1 << (6 * before + 3 * (entry - 1) + commit)
}
fn heartbeat(index: u64, entry: u64, commit: u64) -> u32 {
    1 << (18 + 4 * (index - 1) + 2 * (entry - 1) + commit - 1)
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
    fn length(&self, s: u32) -> u64 {
        (self.get(&FIRST, s) > 0) as u64 + (self.get(&SECOND, s) > 0) as u64
    }
    fn term_at(&self, s: u32, index: u64) -> u64 {
        self.get(if index == 1 { &FIRST } else { &SECOND }, s)
    }
    /// The end of a log, greater for one that is more up to date.
    fn last(&self, s: u32) -> u32 {
        match (self.get(&FIRST, s), self.get(&SECOND, s)) {
            (0, _) => 0,
            (first, 0) => 2 * first as u32 - 1,
            (_, second) => 2 * second as u32,
        }
    }
    fn observe(&mut self, s: u32, term: u64) {
        if term > self.get(&TERM, s) {
            self.set(&TERM, s, term);
            self.set(&VOTED_FOR, s, 0);
            self.set(&ROLE, s, FOLLOWER);
        }
    }
    fn may_commit(&self, s: u32, index: u64) -> bool {
        let shown = if index == 1 { 15 } else { 10 };
        self.get(&COMMIT, s) < index
            && self.term_at(s, index) == self.get(&TERM, s)
            && self.replies >> (4 * self.mine(s)) & shown != 0
    }

    fn vote_for(&mut self, s: u32, candidacy: u32, last: u32) {
        self.observe(s, (candidacy / SERVERS + 1) as u64);
        if last >= self.last(s) {
            self.set(&VOTED_FOR, s, 1 + (candidacy % SERVERS) as u64);
            self.votes |= vote(candidacy, s);
        }
    }
    fn win(&mut self, s: u32) {
        let (mine, commit) = (self.mine(s), self.get(&COMMIT, s));
        let (first, second) = (self.get(&FIRST, s), self.get(&SECOND, s));
        self.set(&ROLE, s, LEADER);
        self.set(&ELECTED, mine, 1);
        if first > 0 {
            self.appends[mine as usize] |= entry(0, first, commit);
        }
        if second > 0 {
            self.appends[mine as usize] |= entry(first, second, commit);
        }
    }
    fn client_asks(&mut self, s: u32) {
        let (term, first) = (self.get(&TERM, s), self.get(&FIRST, s));
        self.appends[self.mine(s) as usize] |= entry(first, term, self.get(&COMMIT, s));
        self.set(if first == 0 { &FIRST } else { &SECOND }, s, term);
    }
    fn handle_append(&mut self, s: u32, leadership: u32, message: u64) {
        self.observe(s, (leadership / SERVERS + 1) as u64);
        self.set(&ROLE, s, FOLLOWER);
        let (index, commit);
        if message < 18 {
            let (before, entry) = (message / 6, message / 3 % 2 + 1);
            if before > 0 && self.get(&FIRST, s) != before {
                return;
            }
            (index, commit) = (if before == 0 { 1 } else { 2 }, message % 3);
            if index == 2 {
                self.set(&SECOND, s, entry);
            } else if self.get(&FIRST, s) != entry {
                self.set(&FIRST, s, entry);
                self.set(&SECOND, s, 0);
            }
        } else {
            (index, commit) = ((message - 18) / 4 + 1, message % 2 + 1);
            if self.term_at(s, index) != (message - 18) / 2 % 2 + 1 {
                return;
            }
        }
        self.replies |= reply(leadership, s, index);
        self.set(&COMMIT, s, self.get(&COMMIT, s).max(commit.min(index)));
    }
    fn commit(&mut self, s: u32, index: u64) {
        let (mine, known) = (self.mine(s), self.get(&COMMIT, s));
        self.set(&COMMIT, s, index);
        for j in known + 1..=index {
            let entry = self.term_at(s, j);
            self.set(&COMMITTED, mine / SERVERS * 4 + 2 * (j as u32 - 1) + entry as u32 - 1, 1);
            self.appends[mine as usize] |= heartbeat(j, entry, index);
        }
    }

    /// What server `s` is, without naming another.
    fn key(&self, s: u32) -> u64 {
        [&TERM, &ROLE, &FIRST, &SECOND, &COMMIT].into_iter().fold(0, |key, field| key << 2 | self.get(field, s))
    }
    /// The state with server `s` renamed to `to[s]`.
    fn renamed(&self, to: &[u32; 3]) -> State {
        let mut other = State { local: self.local, requests: 0, votes: 0, replies: 0, appends: [0; 6] };
        for s in 0..SERVERS {
            let new = to[s as usize];
            for field in [&TERM, &ROLE, &FIRST, &SECOND, &COMMIT] {
                other.set(field, new, self.get(field, s));
            }
            let voted_for = self.get(&VOTED_FOR, s);
            other.set(&VOTED_FOR, new, if voted_for == 0 { 0 } else { 1 + to[voted_for as usize - 1] as u64 });
            for term in 0..TERMS {
                let (from, into) = (term * SERVERS + s, term * SERVERS + new);
                other.set(&ELECTED, into, self.get(&ELECTED, from));
                other.appends[into as usize] = self.appends[from as usize];
                other.requests |= (self.requests >> (5 * from) & 31) << (5 * into);
                for follower in 0..SERVERS {
                    if self.votes & vote(from, follower) != 0 {
                        other.votes |= vote(into, to[follower as usize]);
                    }
                    for index in (1..3).filter(|_| follower != s) {
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
    Commit(u32, u64),
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
                if state.length(s) < 2 {
                    actions.push(Step::Request(s));
                }
                actions.extend((1..3).filter(|&index| state.may_commit(s, index)).map(|index| Step::Commit(s, index)));
            } else if term < TERMS as u64 {
                actions.push(Step::TimeOut(s));
            }
            if role == CANDIDATE && state.votes & 7 * vote(state.mine(s), 0) != 0 {
                actions.push(Step::Win(s));
            }
            let first = if term == 2 { SERVERS } else { 0 };
            for from in (first..SERVERS * TERMS).filter(|from| from % SERVERS != s) {
                if (from / SERVERS + 1) as u64 > term || state.get(&VOTED_FOR, s) == 0 {
                    let requests = state.requests >> (5 * from) & 31;
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
                next.requests |= 1 << (5 * next.mine(s) + next.last(s));
            }
            Step::HandleRequest(s, candidacy, last) => next.vote_for(s, candidacy, last),
            Step::Win(s) => next.win(s),
            Step::Restart(s) => next.set(&ROLE, s, FOLLOWER),
            Step::Request(s) => next.client_asks(s),
            Step::HandleAppend(s, leadership, message) => next.handle_append(s, leadership, message as u64),
            Step::Commit(s, index) => next.commit(s, index),
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        const PAIRS: [(u32, u32); 3] = [(0, 1), (0, 2), (1, 2)];
        vec![
            Property::always("election safety", |_: &Raft, state: &State| {
                (0..TERMS).all(|term| (state.local >> (36 + SERVERS * term) & 7).count_ones() <= 1)
            }),
            Property::always("log matching", |_: &Raft, state: &State| {
                PAIRS.iter().all(|&(a, b)| {
                    let second = state.get(&SECOND, a);
                    second == 0 || second != state.get(&SECOND, b) || state.get(&FIRST, a) == state.get(&FIRST, b)
                })
            }),
            Property::always("leader completeness", |_: &Raft, state: &State| {
                // Only what is committed in term 1 binds a later leader, that of term 2.
                let binding = (state.local >> 42 & 15) as u32;
                (0..SERVERS).filter(|&s| state.get(&ROLE, s) == LEADER && state.get(&TERM, s) == 2).all(|s| {
                    ones(binding).all(|bit| state.term_at(s, (bit / 2 + 1) as u64) == (bit % 2 + 1) as u64)
                })
            }),
            Property::always("state machine safety", |_: &Raft, state: &State| {
                PAIRS.iter().all(|&(a, b)| {
                    let known = state.get(&COMMIT, a).min(state.get(&COMMIT, b));
                    (1..=known).all(|index| state.term_at(a, index) == state.term_at(b, index))
                })
            }),
        ]
    }
}
