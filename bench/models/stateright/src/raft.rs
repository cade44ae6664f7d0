//! Raft, state for state and transition for transition as specs/consensus/raft.py without symmetry.
//!
//! Three servers, terms to 2, logs to 2, one command: an entry is its term. The messages ever sent are a bit set.

use stateright::{Model, Property};

const SERVERS: usize = 3;
const MAX_TERM: usize = 2;
const MAX_INDEX: usize = 2;

const VOTES: usize = 54;
const REPLIES: usize = 72;
const APPENDS: usize = 126;
const WORDS: usize = 10;

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
enum Role {
    Follower,
    Candidate,
    Leader,
}

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
struct Server {
    term: u8,
    voted_for: u8, // 0 or 1 + server
    role: Role,
    length: u8,
    log: [u8; MAX_INDEX],
    commit: u8,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
pub struct State {
    messages: [u64; WORDS],
    servers: [Server; SERVERS],
    elected: [u8; MAX_TERM + 1], // a bit for each server
    committed: u8,               // a bit for each (term, index, entry)
}

fn request_number(term: usize, candidate: usize, last_index: usize, last_term: usize) -> usize {
    ((term - 1) * 3 + candidate) * 9 + last_index * 3 + last_term
}
fn vote_number(term: usize, voter: usize, candidate: usize) -> usize {
    VOTES + ((term - 1) * 3 + voter) * 3 + candidate
}
fn reply_number(term: usize, follower: usize, leader: usize, index: usize) -> usize {
    REPLIES + (((term - 1) * 3 + follower) * 3 + leader) * 3 + index
}

/// AppendEntries; an entry of term 0 is none.
struct Append {
    term: usize,
    leader: usize,
    prev_index: usize,
    prev_term: usize,
    entry: usize,
    commit: usize,
}

impl Append {
    fn number(&self) -> usize {
        let place = ((self.term - 1) * 3 + self.leader) * 3 + self.prev_index;
        APPENDS + ((place * 3 + self.prev_term) * 3 + self.entry) * 3 + self.commit
    }
    fn of(number: usize) -> Self {
        let n = number - APPENDS;
        Append {
            term: n / 243 + 1,
            leader: n / 81 % 3,
            prev_index: n / 27 % 3,
            prev_term: n / 9 % 3,
            entry: n / 3 % 3,
            commit: n % 3,
        }
    }
}

impl Server {
    fn term_at(&self, index: usize) -> usize {
        if 0 < index && index <= self.length as usize { self.log[index - 1] as usize } else { 0 }
    }
    fn last(&self) -> (usize, usize) {
        (self.term_at(self.length as usize), self.length as usize)
    }
    fn observe(&mut self, term: usize) {
        if term > self.term as usize {
            self.term = term as u8;
            self.voted_for = 0;
            self.role = Role::Follower;
        }
    }
}

impl State {
    fn has(&self, number: usize) -> bool {
        self.messages[number / 64] >> (number % 64) & 1 == 1
    }
    fn send(&mut self, number: usize) {
        self.messages[number / 64] |= 1 << (number % 64);
    }
    fn send_entry(&mut self, s: usize, index: usize) {
        let server = &self.servers[s];
        let append = Append {
            term: server.term as usize,
            leader: s,
            prev_index: index - 1,
            prev_term: server.term_at(index - 1),
            entry: server.log[index - 1] as usize,
            commit: server.commit as usize,
        };
        self.send(append.number());
    }
    fn may_vote(&self, s: usize, number: usize) -> bool {
        let (term, candidate) = (number / 27 + 1, number / 9 % 3);
        let server = &self.servers[s];
        candidate != s && (term > server.term as usize || (term == server.term as usize && server.voted_for == 0))
    }
    fn may_append(&self, s: usize, number: usize) -> bool {
        let append = Append::of(number);
        append.leader != s && append.term >= self.servers[s].term as usize
    }
    fn has_majority(&self, s: usize) -> bool {
        let term = self.servers[s].term as usize;
        (0..SERVERS).filter(|&v| v == s || self.has(vote_number(term, v, s))).count() * 2 > SERVERS
    }
    fn may_commit(&self, s: usize, index: usize) -> bool {
        let server = &self.servers[s];
        let term = server.term as usize;
        let replied = |r| (index..=MAX_INDEX).any(|j| self.has(reply_number(term, r, s, j)));
        (server.commit as usize) < index
            && index <= server.length as usize
            && server.term_at(index) == term
            && (0..SERVERS).filter(|&r| r == s || replied(r)).count() * 2 > SERVERS
    }
}

pub struct Raft;

#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    TimeOut(usize),
    HandleRequest(usize, usize),
    Win(usize),
    Restart(usize),
    Request(usize),
    HandleAppend(usize, usize),
    Commit(usize, usize),
}

fn handle_append(next: &mut State, s: usize, append: &Append) {
    let server = &mut next.servers[s];
    server.observe(append.term);
    server.role = Role::Follower;
    if append.prev_index > server.length as usize || server.term_at(append.prev_index) != append.prev_term {
        return;
    }
    let mut matched = append.prev_index;
    if append.entry > 0 {
        matched += 1;
        if server.term_at(matched) != append.entry {
            server.log[append.prev_index..].fill(0);
            server.log[append.prev_index] = append.entry as u8;
            server.length = matched as u8;
        }
    }
    server.commit = server.commit.max(append.commit.min(matched) as u8);
    next.send(reply_number(append.term, s, append.leader, matched));
}

fn commit(next: &mut State, s: usize, index: usize) {
    let known = next.servers[s].commit as usize;
    next.servers[s].commit = index as u8;
    let server = next.servers[s];
    for j in known + 1..=index {
        let entry = server.log[j - 1] as usize;
        next.committed |= 1 << (((server.term as usize - 1) * 2 + j - 1) * 2 + entry - 1);
        let heartbeat = Append {
            term: server.term as usize,
            leader: s,
            prev_index: j,
            prev_term: entry,
            entry: 0,
            commit: index,
        };
        next.send(heartbeat.number());
    }
}

impl Model for Raft {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let server = Server { term: 0, voted_for: 0, role: Role::Follower, length: 0, log: [0; MAX_INDEX], commit: 0 };
        vec![State { messages: [0; WORDS], servers: [server; SERVERS], elected: [0; MAX_TERM + 1], committed: 0 }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        for (s, server) in state.servers.iter().enumerate() {
            match server.role {
                Role::Leader => {
                    actions.push(Step::Restart(s));
                    if (server.length as usize) < MAX_INDEX {
                        actions.push(Step::Request(s));
                    }
                    actions.extend((1..=MAX_INDEX).filter(|&i| state.may_commit(s, i)).map(|i| Step::Commit(s, i)));
                }
                _ if (server.term as usize) < MAX_TERM => actions.push(Step::TimeOut(s)),
                _ => {}
            }
            if server.role == Role::Candidate && state.has_majority(s) {
                actions.push(Step::Win(s));
            }
        }
        for (place, word) in state.messages.iter().enumerate() {
            let mut rest = *word;
            while rest != 0 {
                let number = place * 64 + rest.trailing_zeros() as usize;
                rest &= rest - 1;
                for s in 0..SERVERS {
                    if number < VOTES && state.may_vote(s, number) {
                        actions.push(Step::HandleRequest(s, number));
                    } else if number >= APPENDS && state.may_append(s, number) {
                        actions.push(Step::HandleAppend(s, number));
                    }
                }
            }
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        match step {
            Step::TimeOut(s) => {
                let server = &mut next.servers[s];
                server.term += 1;
                server.role = Role::Candidate;
                server.voted_for = 1 + s as u8;
                let (term, (last_term, last_index)) = (server.term as usize, server.last());
                next.send(request_number(term, s, last_index, last_term));
            }
            Step::HandleRequest(s, number) => {
                let (term, candidate) = (number / 27 + 1, number / 9 % 3);
                let server = &mut next.servers[s];
                server.observe(term);
                if (number % 3, number / 3 % 3) >= server.last() {
                    server.voted_for = 1 + candidate as u8;
                    next.send(vote_number(term, s, candidate));
                }
            }
            Step::Win(s) => {
                next.servers[s].role = Role::Leader;
                next.elected[next.servers[s].term as usize] |= 1 << s;
                for index in 1..=next.servers[s].length as usize {
                    next.send_entry(s, index);
                }
            }
            Step::Restart(s) => next.servers[s].role = Role::Follower,
            Step::Request(s) => {
                let server = &mut next.servers[s];
                server.log[server.length as usize] = server.term;
                server.length += 1;
                let index = server.length as usize;
                next.send_entry(s, index);
            }
            Step::HandleAppend(s, number) => handle_append(&mut next, s, &Append::of(number)),
            Step::Commit(s, index) => commit(&mut next, s, index),
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn pairs(state: &State) -> impl Iterator<Item = (&Server, &Server)> {
            state.servers.iter().flat_map(move |a| state.servers.iter().map(move |b| (a, b)))
        }
        vec![
            Property::always("election safety", |_: &Raft, state: &State| {
                state.elected.iter().all(|servers| servers.count_ones() <= 1)
            }),
            Property::always("log matching", |_: &Raft, state: &State| {
                pairs(state).all(|(a, b)| {
                    (0..a.length.min(b.length) as usize).all(|i| a.log[i] != b.log[i] || a.log[..i] == b.log[..i])
                })
            }),
            Property::always("leader completeness", |_: &Raft, state: &State| {
                state.servers.iter().filter(|server| server.role == Role::Leader).all(|server| {
                    (0..8).filter(|c| state.committed >> c & 1 == 1).all(|c| {
                        let (term, index, entry) = (c / 4 + 1, c / 2 % 2, c % 2 + 1);
                        term >= server.term || (index < server.length && server.log[index as usize] == entry)
                    })
                })
            }),
            Property::always("state machine safety", |_: &Raft, state: &State| {
                pairs(state).all(|(a, b)| {
                    (0..a.commit.min(b.commit) as usize)
                        .all(|i| i < a.length.min(b.length) as usize && a.log[i] == b.log[i])
                })
            }),
        ]
    }
}
