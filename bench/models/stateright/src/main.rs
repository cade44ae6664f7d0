//! The models of this benchmark for Stateright.
//!
//! Usage: peers (two_phase RM | paxos | raft) ORDER THREADS, where ORDER is dfs, bfs or symmetry: dfs over representatives.

use std::fmt::Debug;
use std::hash::Hash;

use stateright::{Checker, CheckerBuilder, Model};

mod bits;
mod paxos;
mod raft;
mod two_phase;

fn print<M: Model>(checker: impl Checker<M>)
where
    M::State: Clone + Debug + PartialEq,
    M::Action: Clone + Debug + PartialEq,
{
    let checker = checker.join();
    checker.assert_properties();
    println!("states={} transitions={}", checker.unique_state_count(), checker.state_count());
}

fn run<M>(builder: CheckerBuilder<M>, order: &str, threads: &str, representative: fn(&M::State) -> M::State)
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync,
    M::Action: Clone + Debug + PartialEq + Send + Sync,
{
    let builder = builder.threads(threads.parse().expect("THREADS"));
    match order {
        "bfs" => print(builder.spawn_bfs()),
        "dfs" => print(builder.spawn_dfs()),
        "symmetry" => print(builder.symmetry_fn(representative).spawn_dfs()),
        _ => panic!("ORDER is dfs, bfs or symmetry"),
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["two_phase", rm, order, threads] => {
            let model = two_phase::TwoPhase::new(rm.parse().expect("RM"));
            run(model.checker(), order, threads, two_phase::representative)
        }
        ["paxos", order, threads] => run(paxos::Paxos.checker(), order, threads, paxos::representative),
        ["raft", order, threads] => run(raft::Raft.checker(), order, threads, raft::representative),
        _ => panic!("see the head of main.rs"),
    }
}
