//! Two-phase commit (Gray & Lamport 2006) in the form that suits Stateright best: a state is one word.

use std::sync::atomic::{AtomicU32, Ordering};

use stateright::{Model, Property};

/// The number of resource managers, for `representative`, which Stateright calls without the model.
static MANAGERS: AtomicU32 = AtomicU32::new(0);

pub struct TwoPhase {
    rm: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Receive(u32),
    Commit,
    Abort,
    Prepare(u32),
    Refuse(u32),
    ObeyCommit(u32),
    ObeyAbort(u32),
}

impl TwoPhase {
    pub fn new(rm: u32) -> Self {
        MANAGERS.store(rm, Ordering::Relaxed);
        TwoPhase { rm }
    }
    fn ones(&self) -> u64 {
        (1 << self.rm) - 1
    }
    fn low(&self, s: u64) -> u64 {
        s & self.ones()
    }
    fn high(&self, s: u64) -> u64 {
        s >> self.rm & self.ones()
    }
    fn tm(&self, s: u64) -> u64 {
        s >> (4 * self.rm) & 3
    }
    fn bit(&self, area: u32, r: u32) -> u64 {
        1 << (area * self.rm + r)
    }
    fn commit_sent(&self) -> u64 {
        1 << (4 * self.rm + 2)
    }
    fn abort_sent(&self) -> u64 {
        1 << (4 * self.rm + 3)
    }
}

impl Model for TwoPhase {
    type State = u64;
    type Action = Step;

    fn init_states(&self) -> Vec<u64> {
        vec![0]
    }

    fn actions(&self, s: &u64, actions: &mut Vec<Step>) {
        let s = *s;
        let undecided = self.tm(s) == 0;
        if undecided && s >> (3 * self.rm) & self.ones() == self.ones() {
            actions.push(Step::Commit);
        }
        if undecided {
            actions.push(Step::Abort);
        }
        for r in 0..self.rm {
            if undecided && s & self.bit(2, r) != 0 {
                actions.push(Step::Receive(r));
            }
            if (self.low(s) | self.high(s)) >> r & 1 == 0 {
                actions.push(Step::Prepare(r));
                actions.push(Step::Refuse(r));
            }
            if s & self.commit_sent() != 0 {
                actions.push(Step::ObeyCommit(r));
            }
            if s & self.abort_sent() != 0 {
                actions.push(Step::ObeyAbort(r));
            }
        }
    }

    fn next_state(&self, s: &u64, step: Step) -> Option<u64> {
        let s = *s;
        Some(match step {
            Step::Receive(r) => s | self.bit(3, r),
            Step::Commit => s | 1 << (4 * self.rm) | self.commit_sent(),
            Step::Abort => s | 2 << (4 * self.rm) | self.abort_sent(),
            Step::Prepare(r) => s | self.bit(0, r) | self.bit(2, r),
            Step::Refuse(r) => s | self.bit(0, r) | self.bit(1, r),
            Step::ObeyCommit(r) => s & !self.bit(0, r) | self.bit(1, r),
            Step::ObeyAbort(r) => s | self.bit(0, r) | self.bit(1, r),
        })
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("atomicity", |model: &TwoPhase, s: &u64| {
            let (low, high) = (model.low(*s), model.high(*s));
            high & !low == 0 || high & low == 0
        })]
    }
}

/// The state with its resource managers in order: exact, because a manager is no more than its four bits.
pub fn representative(s: &u64) -> u64 {
    let rm = MANAGERS.load(Ordering::Relaxed);
    let mut counts = [0u32; 16];
    for r in 0..rm {
        let key = (0..4).fold(0, |key, area| key | ((s >> (area * rm + r) & 1) << area));
        counts[key as usize] += 1;
    }
    let (mut sorted, mut r) = (s >> (4 * rm) << (4 * rm), 0);
    for (key, count) in counts.into_iter().enumerate() {
        for _ in 0..count {
            for area in 0..4 {
                sorted |= (key as u64 >> area & 1) << (area * rm + r);
            }
            r += 1;
        }
    }
    sorted
}
