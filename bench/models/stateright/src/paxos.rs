//! Single-decree Paxos, state for state and transition for transition as specs/consensus/paxos.py without symmetry.
//!
//! Three acceptors, two values, three ballots, two learners. A state is one word of 128 bits. A vote is 0 for none, else
//! 1 + 2 * ballot + value; a promise is 0 before it is sent, else 1 + the vote that it reports; a later vote is a larger number.

use stateright::{Model, Property};

const ACCEPTORS: u32 = 3;
const BALLOTS: u32 = 3;
const LEARNERS: u32 = 2;
const VALUES: u32 = 2;

/// Where a field of the state stands: its first bit, and the bits of one of its parts.
struct Field(u32, u32);

const REQUESTED: Field = Field(0, 1); // by value
const PROMISED: Field = Field(2, 2); // by acceptor: 0 or 1 + ballot
const ACCEPTED: Field = Field(8, 3); // by acceptor: a vote
const LEARNED: Field = Field(17, 2); // by learner: 0 or 1 + value
const PREPARES: Field = Field(21, 1); // by ballot
const ACCEPTS: Field = Field(24, 2); // by ballot: 0 or 1 + value
const VOTES: Field = Field(30, 3); // by ballot: the acceptors that have voted for its value
const PROMISES: Field = Field(39, 3); // by ballot and acceptor

impl Field {
    fn get(&self, s: u128, part: u32) -> u32 {
        (s >> (self.0 + self.1 * part)) as u32 & ((1 << self.1) - 1)
    }
    fn set(&self, s: u128, part: u32, value: u32) -> u128 {
        let at = self.0 + self.1 * part;
        let mask = ((1u128 << self.1) - 1) << at;
        s & !mask | (value as u128) << at
    }
}

fn vote(b: u32, v: u32) -> u32 {
    1 + 2 * b + v
}

fn promise(s: u128, b: u32, a: u32) -> u32 {
    PROMISES.get(s, b * ACCEPTORS + a)
}

fn chosen(s: u128, b: u32, v: u32) -> bool {
    ACCEPTS.get(s, b) == 1 + v && VOTES.get(s, b).count_ones() * 2 > ACCEPTORS
}

/// Whether the promises of quorum `q` for ballot `b` are there and leave value `v` free.
fn may_propose(s: u128, b: u32, q: u32, v: u32) -> bool {
    let mut highest = 0;
    for a in 0..ACCEPTORS {
        if q >> a & 1 == 1 {
            match promise(s, b, a) {
                0 => return false,
                report => highest = highest.max(report - 1),
            }
        }
    }
    highest == 0 || (highest - 1) % 2 == v
}

pub struct Paxos;

#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Prepare(u32),
    Promise(u32, u32),
    Propose(u32, u32, u32),
    Accept(u32, u32),
    Learn(u32, u32, u32),
}

impl Model for Paxos {
    type State = u128;
    type Action = Step;

    fn init_states(&self) -> Vec<u128> {
        (0..1 << VALUES).collect()
    }

    fn actions(&self, s: &u128, actions: &mut Vec<Step>) {
        let s = *s;
        for b in 0..BALLOTS {
            if PREPARES.get(s, b) == 0 {
                actions.push(Step::Prepare(b));
            }
            for a in 0..ACCEPTORS {
                if PREPARES.get(s, b) == 1 && 1 + b > PROMISED.get(s, a) {
                    actions.push(Step::Promise(a, b));
                }
                let proposed = ACCEPTS.get(s, b);
                if proposed > 0 && 1 + b >= PROMISED.get(s, a) && ACCEPTED.get(s, a) != vote(b, proposed - 1) {
                    actions.push(Step::Accept(a, b));
                }
            }
            for v in 0..VALUES {
                if REQUESTED.get(s, v) == 1 && ACCEPTS.get(s, b) == 0 {
                    let majorities = (0..1u32 << ACCEPTORS).filter(|q| q.count_ones() * 2 > ACCEPTORS);
                    actions.extend(majorities.filter(|&q| may_propose(s, b, q, v)).map(|q| Step::Propose(b, q, v)));
                }
                for k in 0..LEARNERS {
                    if LEARNED.get(s, k) == 0 && chosen(s, b, v) {
                        actions.push(Step::Learn(k, b, v));
                    }
                }
            }
        }
    }

    fn next_state(&self, s: &u128, step: Step) -> Option<u128> {
        let s = *s;
        Some(match step {
            Step::Prepare(b) => PREPARES.set(s, b, 1),
            Step::Promise(a, b) => {
                let report = 1 + ACCEPTED.get(s, a);
                PROMISES.set(PROMISED.set(s, a, 1 + b), b * ACCEPTORS + a, report)
            }
            Step::Propose(b, _, v) => ACCEPTS.set(s, b, 1 + v),
            Step::Accept(a, b) => {
                let s = ACCEPTED.set(PROMISED.set(s, a, 1 + b), a, vote(b, ACCEPTS.get(s, b) - 1));
                VOTES.set(s, b, VOTES.get(s, b) | 1 << a)
            }
            Step::Learn(k, _, v) => LEARNED.set(s, k, 1 + v),
        })
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn ever(s: u128, v: u32) -> bool {
            (0..BALLOTS).any(|b| chosen(s, b, v))
        }
        vec![
            Property::always("one value chosen", |_: &Paxos, s: &u128| !(ever(*s, 0) && ever(*s, 1))),
            Property::always("learners agree", |_: &Paxos, s: &u128| {
                let (one, other) = (LEARNED.get(*s, 0), LEARNED.get(*s, 1));
                one == 0 || other == 0 || one == other
            }),
            Property::always("only requested values", |_: &Paxos, s: &u128| {
                (0..VALUES).all(|v| !ever(*s, v) || REQUESTED.get(*s, v) == 1)
            }),
        ]
    }
}
