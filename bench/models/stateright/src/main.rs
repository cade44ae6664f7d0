//! The models of this benchmark for Stateright.
//!
//! Usage: peers [records] (two_phase_commit RM | paxos BALLOTS | raft INDICES) ORDER THREADS, where ORDER is dfs, bfs, or symmetry: dfs over
//! representatives. With `records` it is the model as people write it, without symmetry.

use std::fmt::Debug;
use std::hash::Hash;

use stateright::{Checker, CheckerBuilder, Model};

mod bits;
mod records;
mod two_phase;

mod paxos {
    type Bits = u64;
    const BALLOTS: u32 = 3;
    include!("paxos.rs");
}
mod paxos_of_four_ballots {
    type Bits = u128;
    const BALLOTS: u32 = 4;
    include!("paxos.rs");
}
mod raft {
    type Bits = u32;
    const LOG: u32 = 2;
    include!("raft.rs");
}
mod raft_of_three_entries {
    type Bits = u64;
    const LOG: u32 = 3;
    include!("raft.rs");
}

fn print<M: Model>(checker: impl Checker<M>)
where
    M::State: Clone + Debug + PartialEq,
    M::Action: Clone + Debug + PartialEq,
{
    let checker = checker.join();
    checker.assert_properties();
    println!("states={} transitions={}", checker.unique_state_count(), checker.state_count());
}

fn run<M>(builder: CheckerBuilder<M>, order: &str, threads: &str, representative: Option<fn(&M::State) -> M::State>)
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync,
    M::Action: Clone + Debug + PartialEq + Send + Sync,
{
    let builder = builder.threads(threads.parse().expect("THREADS"));
    match order {
        "bfs" => print(builder.spawn_bfs()),
        "dfs" => print(builder.spawn_dfs()),
        "symmetry" => print(builder.symmetry_fn(representative.expect("a representative")).spawn_dfs()),
        _ => panic!("ORDER is dfs, bfs or symmetry"),
    }
}

fn number<T: std::str::FromStr>(word: &str) -> T {
    word.parse().unwrap_or_else(|_| panic!("{word} is not a number"))
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["two_phase_commit", rm, order, threads] => {
            let model = two_phase::TwoPhase::new(number(rm));
            run(model.checker(), order, threads, Some(two_phase::representative))
        }
        ["paxos", "3", order, threads] => run(paxos::Paxos.checker(), order, threads, Some(paxos::representative)),
        ["paxos", "4", order, threads] => {
            let representative = paxos_of_four_ballots::representative;
            run(paxos_of_four_ballots::Paxos.checker(), order, threads, Some(representative))
        }
        ["raft", "2", order, threads] => run(raft::Raft.checker(), order, threads, Some(raft::representative)),
        ["raft", "3", order, threads] => {
            let representative = raft_of_three_entries::representative;
            run(raft_of_three_entries::Raft.checker(), order, threads, Some(representative))
        }
        ["records", "two_phase_commit", rm, order, threads] => {
            run(records::TwoPhase { rm: number(rm) }.checker(), order, threads, None)
        }
        ["records", "paxos", ballots, order, threads] => {
            let model = records::Paxos { acceptors: 3, ballots: number(ballots), values: 2, learners: 2 };
            run(model.checker(), order, threads, None)
        }
        ["records", "raft", indices, order, threads] => {
            run(records::Raft { servers: 3, terms: 2, indices: number(indices) }.checker(), order, threads, None)
        }
        _ => panic!("see the head of main.rs"),
    }
}
