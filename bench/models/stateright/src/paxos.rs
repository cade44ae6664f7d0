// Single-decree Paxos, state for state and transition for transition as specs/quorate_specs/consensus/paxos.py without symmetry.
//
// Three acceptors, two values, BALLOTS ballots, two learners. A state is one word, of type Bits; what concerns one acceptor is together
// in it. A vote is 0 for none, else 1 + 2 * ballot + value: a later vote is a larger number. A promise is 0 before it is sent, else 1 +
// the vote that it reports, which is one of a lower ballot. Both names are given by the module that includes this file.

use stateright::{Model, Property};

use crate::bits::{width, Field};

const ACCEPTORS: u32 = 3;
const LEARNERS: u32 = 2;
const VALUES: u32 = 2;

// By acceptor.
const PROMISED: Field = Field(0, width(BALLOTS), SIZE); // 0 or 1 + ballot
const ACCEPTED: Field = Field(width(BALLOTS), width(2 * BALLOTS), SIZE); // a vote
const VOTED: Field = Field(ACCEPTED.0 + ACCEPTED.1, BALLOTS, SIZE); // the ballots that it has voted in, for the value that they propose
const ACCEPTOR: Field = Field(0, SIZE, SIZE); // all of it
const SIZE: u32 = width(BALLOTS) + width(2 * BALLOTS) + BALLOTS + promises(BALLOTS);

const ACCEPTS: Field = Field(ACCEPTORS * SIZE, 2, 2); // by ballot: 0 or 1 + value
const LEARNED: Field = Field(ACCEPTS.0 + 2 * BALLOTS, 2, 2); // by learner: 0 or 1 + value
const PREPARES: Field = Field(LEARNED.0 + 2 * LEARNERS, 1, 1); // by ballot
const REQUESTED: Field = Field(PREPARES.0 + BALLOTS, 1, 1); // by value

/// The bits of an acceptor's promises for the ballots below `b`.
const fn promises(b: u32) -> u32 {
    if b == 0 { 0 } else { promises(b - 1) + width(1 + 2 * (b - 1)) }
}

/// By acceptor: its promise for ballot `b`.
const fn promise(b: u32) -> Field {
    Field(VOTED.0 + BALLOTS + promises(b), width(1 + 2 * b), SIZE)
}

const PROMISES: [Field; BALLOTS as usize] = {
    let mut all = [PROMISED; BALLOTS as usize];
    let mut b = 0;
    while b < BALLOTS {
        all[b as usize] = promise(b);
        b += 1;
    }
    all
};

fn vote(b: u32, v: u64) -> u64 {
    1 + 2 * b as u64 + v
}

fn chosen(s: Bits, b: u32, v: u64) -> bool {
    let votes = (0..ACCEPTORS).filter(|&a| VOTED.get(s, a) >> b & 1 == 1).count() as u32;
    ACCEPTS.get(s, b) == 1 + v && 2 * votes > ACCEPTORS
}

/// Whether the promises of quorum `q` for ballot `b` are there and leave value `v` free.
fn may_propose(s: Bits, b: u32, q: u32, v: u64) -> bool {
    let mut highest = 0;
    for a in (0..ACCEPTORS).filter(|a| q >> a & 1 == 1) {
        match PROMISES[b as usize].get(s, a) {
            0 => return false,
            report => highest = highest.max(report - 1),
        }
    }
    highest == 0 || (highest - 1) % 2 == v
}

/// The state with the two values renamed.
fn exchanged(s: Bits) -> Bits {
    let other = |number: u64, none: u64| if number <= none { number } else { ((number - none - 1) ^ 1) + none + 1 };
    let mut t = s;
    for a in 0..ACCEPTORS {
        t = ACCEPTED.set(t, a, other(ACCEPTED.get(s, a), 0));
        for promises in &PROMISES {
            t = promises.set(t, a, other(promises.get(s, a), 1));
        }
    }
    t = (0..BALLOTS).fold(t, |t, b| ACCEPTS.set(t, b, other(ACCEPTS.get(s, b), 0)));
    t = (0..LEARNERS).fold(t, |t, k| LEARNED.set(t, k, other(LEARNED.get(s, k), 0)));
    REQUESTED.set(REQUESTED.set(t, 0, REQUESTED.get(s, 1)), 1, REQUESTED.get(s, 0))
}

/// The state with its acceptors and learners in order.
fn sorted(s: Bits) -> Bits {
    let mut acceptors = [0, 1, 2].map(|a| ACCEPTOR.get(s, a));
    acceptors.sort_unstable();
    let s = (0..ACCEPTORS).fold(s, |s, a| ACCEPTOR.set(s, a, acceptors[a as usize]));
    let (one, other) = (LEARNED.get(s, 0), LEARNED.get(s, 1));
    LEARNED.set(LEARNED.set(s, 0, one.min(other)), 1, one.max(other))
}

/// One state for each orbit: exact, for no acceptor or learner names another.
pub fn representative(s: &Bits) -> Bits {
    sorted(*s).min(sorted(exchanged(*s)))
}

pub struct Paxos;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    Prepare(u32),
    Promise(u32, u32),
    Propose(u32, u64),
    Accept(u32, u32),
    Learn(u32, u64),
}

impl Model for Paxos {
    type State = Bits;
    type Action = Step;

    fn init_states(&self) -> Vec<Bits> {
        (0..1 << VALUES).map(|requested: Bits| requested << REQUESTED.0).collect()
    }

    fn actions(&self, s: &Bits, actions: &mut Vec<Step>) {
        let s = *s;
        for b in 0..BALLOTS {
            if PREPARES.get(s, b) == 0 {
                actions.push(Step::Prepare(b));
            }
            let proposed = ACCEPTS.get(s, b);
            for a in 0..ACCEPTORS {
                let promised = PROMISED.get(s, a);
                if PREPARES.get(s, b) == 1 && 1 + b as u64 > promised {
                    actions.push(Step::Promise(a, b));
                }
                if proposed > 0 && 1 + b as u64 >= promised && ACCEPTED.get(s, a) != vote(b, proposed - 1) {
                    actions.push(Step::Accept(a, b));
                }
            }
            for v in 0..VALUES as u64 {
                if REQUESTED.get(s, v as u32) == 1 && proposed == 0 {
                    // Every quorum is a way of its own to propose, as in the original: they lead to one state.
                    let majorities = (0..1u32 << ACCEPTORS).filter(|q| q.count_ones() * 2 > ACCEPTORS);
                    actions.extend(majorities.filter(|&q| may_propose(s, b, q, v)).map(|_| Step::Propose(b, v)));
                }
                if proposed == 1 + v && chosen(s, b, v) {
                    actions.extend((0..LEARNERS).filter(|&k| LEARNED.get(s, k) == 0).map(|k| Step::Learn(k, v)));
                }
            }
        }
    }

    fn next_state(&self, s: &Bits, step: Step) -> Option<Bits> {
        let s = *s;
        Some(match step {
            Step::Prepare(b) => PREPARES.set(s, b, 1),
            Step::Promise(a, b) => {
                let report = 1 + ACCEPTED.get(s, a);
                PROMISES[b as usize].set(PROMISED.set(s, a, 1 + b as u64), a, report)
            }
            Step::Propose(b, v) => ACCEPTS.set(s, b, 1 + v),
            Step::Accept(a, b) => {
                let s = ACCEPTED.set(PROMISED.set(s, a, 1 + b as u64), a, vote(b, ACCEPTS.get(s, b) - 1));
                VOTED.set(s, a, VOTED.get(s, a) | 1 << b)
            }
            Step::Learn(k, v) => LEARNED.set(s, k, 1 + v),
        })
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn ever(s: Bits, v: u64) -> bool {
            (0..BALLOTS).any(|b| chosen(s, b, v))
        }
        vec![
            Property::always("one value chosen", |_: &Paxos, s: &Bits| !(ever(*s, 0) && ever(*s, 1))),
            Property::always("learners agree", |_: &Paxos, s: &Bits| {
                let (one, other) = (LEARNED.get(*s, 0), LEARNED.get(*s, 1));
                one == 0 || other == 0 || one == other
            }),
            Property::always("only requested values", |_: &Paxos, s: &Bits| {
                (0..VALUES).all(|v| !ever(*s, v as u64) || REQUESTED.get(*s, v) == 1)
            }),
        ]
    }
}
