//! The models of this benchmark for Stateright.
//!
//! Usage: peers two_phase RM ORDER THREADS | paxos ORDER THREADS | raft ORDER THREADS
//! where ORDER is dfs, bfs or, for two_phase, symmetry (dfs over representatives).

use stateright::{Checker, CheckerBuilder, Model};
use std::hash::Hash;

mod paxos;
mod raft;
mod two_phase;

fn report<M>(builder: CheckerBuilder<M>, order: &str, threads: &str)
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Hash + Send + Sync + PartialEq + std::fmt::Debug,
    M::Action: Clone + Send + Sync + std::fmt::Debug + PartialEq,
{
    let builder = builder.threads(threads.parse().expect("THREADS"));
    let (states, transitions) = if order == "bfs" {
        let checker = builder.spawn_bfs().join();
        checker.assert_properties();
        (checker.unique_state_count(), checker.state_count())
    } else {
        let checker = builder.spawn_dfs().join();
        checker.assert_properties();
        (checker.unique_state_count(), checker.state_count())
    };
    println!("states={states} transitions={transitions}");
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["two_phase", rm, "symmetry", threads] => {
            let model = two_phase::TwoPhase::new(rm.parse().expect("RM"));
            report(model.checker().symmetry_fn(two_phase::representative), "dfs", threads)
        }
        ["two_phase", rm, order, threads] => {
            report(two_phase::TwoPhase::new(rm.parse().expect("RM")).checker(), order, threads)
        }
        ["paxos", order, threads] => report(paxos::Paxos.checker(), order, threads),
        ["raft", order, threads] => report(raft::Raft.checker(), order, threads),
        _ => panic!("see the head of main.rs"),
    }
}
