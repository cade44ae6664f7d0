//! The same models as people write them: records, vectors, and a set of messages.
//!
//! State for state and transition for transition as two_phase.rs, paxos.rs and raft.rs, which hand-pack their states into words.

use std::collections::BTreeSet;

use stateright::{Model, Property};

// ---- Two-phase commit

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
enum Rm {
    Working,
    Prepared,
    Committed,
    Aborted,
}

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, PartialOrd, Ord)]
enum Sent {
    Prepared(usize),
    Commit,
    Abort,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
pub struct Commitment {
    rm: Vec<Rm>,
    decided: Option<bool>,
    prepared: BTreeSet<usize>,
    messages: BTreeSet<Sent>,
}

pub struct TwoPhase {
    pub rm: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub enum CommitStep {
    Receive(usize),
    Commit,
    Abort,
    Prepare(usize),
    Refuse(usize),
    ObeyCommit(usize),
    ObeyAbort(usize),
}

impl Model for TwoPhase {
    type State = Commitment;
    type Action = CommitStep;

    fn init_states(&self) -> Vec<Commitment> {
        let rm = vec![Rm::Working; self.rm];
        vec![Commitment { rm, decided: None, prepared: BTreeSet::new(), messages: BTreeSet::new() }]
    }

    fn actions(&self, state: &Commitment, actions: &mut Vec<CommitStep>) {
        if state.decided.is_none() {
            if state.prepared.len() == self.rm {
                actions.push(CommitStep::Commit);
            }
            actions.push(CommitStep::Abort);
        }
        for r in 0..self.rm {
            if state.decided.is_none() && state.messages.contains(&Sent::Prepared(r)) {
                actions.push(CommitStep::Receive(r));
            }
            if state.rm[r] == Rm::Working {
                actions.push(CommitStep::Prepare(r));
                actions.push(CommitStep::Refuse(r));
            }
            if state.messages.contains(&Sent::Commit) {
                actions.push(CommitStep::ObeyCommit(r));
            }
            if state.messages.contains(&Sent::Abort) {
                actions.push(CommitStep::ObeyAbort(r));
            }
        }
    }

    fn next_state(&self, state: &Commitment, step: CommitStep) -> Option<Commitment> {
        let mut next = state.clone();
        match step {
            CommitStep::Receive(r) => {
                next.prepared.insert(r);
            }
            CommitStep::Commit => {
                next.decided = Some(true);
                next.messages.insert(Sent::Commit);
            }
            CommitStep::Abort => {
                next.decided = Some(false);
                next.messages.insert(Sent::Abort);
            }
            CommitStep::Prepare(r) => {
                next.rm[r] = Rm::Prepared;
                next.messages.insert(Sent::Prepared(r));
            }
            CommitStep::Refuse(r) | CommitStep::ObeyAbort(r) => next.rm[r] = Rm::Aborted,
            CommitStep::ObeyCommit(r) => next.rm[r] = Rm::Committed,
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("atomicity", |_: &TwoPhase, state: &Commitment| {
            !(state.rm.contains(&Rm::Committed) && state.rm.contains(&Rm::Aborted))
        })]
    }
}

// ---- Paxos

type Ballot = usize;
type Value = usize;

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, PartialOrd, Ord)]
enum Message {
    Prepare(Ballot),
    Promise { ballot: Ballot, acceptor: usize, vote: Option<(Ballot, Value)> },
    Accept(Ballot, Value),
    Accepted { ballot: Ballot, value: Value, acceptor: usize },
}

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
pub struct Synod {
    requested: BTreeSet<Value>,
    promised: Vec<Option<Ballot>>,
    accepted: Vec<Option<(Ballot, Value)>>,
    learned: Vec<Option<Value>>,
    messages: BTreeSet<Message>,
}

impl Synod {
    fn proposed(&self, ballot: Ballot) -> Option<Value> {
        self.messages.iter().find_map(|message| match *message {
            Message::Accept(b, value) if b == ballot => Some(value),
            _ => None,
        })
    }
    fn chosen(&self, ballot: Ballot, value: Value) -> bool {
        let votes = self.messages.iter().filter(|message| {
            matches!(**message, Message::Accepted { ballot: b, value: v, .. } if (b, v) == (ballot, value))
        });
        2 * votes.count() > self.promised.len()
    }
    /// What an acceptor has reported in its promise for a ballot, if it has sent one.
    fn report(&self, ballot: Ballot, by: usize) -> Option<Option<(Ballot, Value)>> {
        self.messages.iter().find_map(|message| match *message {
            Message::Promise { ballot: b, acceptor, vote } if (b, acceptor) == (ballot, by) => Some(vote),
            _ => None,
        })
    }
    fn may_propose(&self, ballot: Ballot, value: Value, quorum: &[usize]) -> bool {
        let reports: Option<Vec<_>> = quorum.iter().map(|&acceptor| self.report(ballot, acceptor)).collect();
        reports.is_some_and(|votes| votes.into_iter().max().flatten().is_none_or(|(_, voted)| voted == value))
    }
}

pub struct Paxos {
    pub acceptors: usize,
    pub ballots: usize,
    pub values: usize,
    pub learners: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PaxosStep {
    Prepare(Ballot),
    Promise(usize, Ballot),
    Propose(Ballot, Value),
    Accept(usize, Ballot, Value),
    Learn(usize, Value),
}

impl Model for Paxos {
    type State = Synod;
    type Action = PaxosStep;

    fn init_states(&self) -> Vec<Synod> {
        let requests = (0..1 << self.values).map(|set| (0..self.values).filter(|v| set >> v & 1 == 1).collect());
        let state = |requested| Synod {
            requested,
            promised: vec![None; self.acceptors],
            accepted: vec![None; self.acceptors],
            learned: vec![None; self.learners],
            messages: BTreeSet::new(),
        };
        requests.map(state).collect()
    }

    fn actions(&self, state: &Synod, actions: &mut Vec<PaxosStep>) {
        let quorums: Vec<Vec<usize>> = (0..1u32 << self.acceptors)
            .map(|set| (0..self.acceptors).filter(|a| set >> a & 1 == 1).collect::<Vec<_>>())
            .filter(|quorum| 2 * quorum.len() > self.acceptors)
            .collect();
        for b in 0..self.ballots {
            let prepared = state.messages.contains(&Message::Prepare(b));
            let proposed = state.proposed(b);
            if !prepared {
                actions.push(PaxosStep::Prepare(b));
            }
            for a in 0..self.acceptors {
                if prepared && Some(b) > state.promised[a] {
                    actions.push(PaxosStep::Promise(a, b));
                }
                if let Some(v) = proposed {
                    if Some(b) >= state.promised[a] && state.accepted[a] != Some((b, v)) {
                        actions.push(PaxosStep::Accept(a, b, v));
                    }
                }
            }
            for v in 0..self.values {
                if proposed.is_none() && state.requested.contains(&v) {
                    let enough = quorums.iter().filter(|quorum| state.may_propose(b, v, quorum));
                    actions.extend(enough.map(|_| PaxosStep::Propose(b, v)));
                }
                if state.chosen(b, v) {
                    let waiting = (0..self.learners).filter(|&k| state.learned[k].is_none());
                    actions.extend(waiting.map(|k| PaxosStep::Learn(k, v)));
                }
            }
        }
    }

    fn next_state(&self, state: &Synod, step: PaxosStep) -> Option<Synod> {
        let mut next = state.clone();
        match step {
            PaxosStep::Prepare(b) => {
                next.messages.insert(Message::Prepare(b));
            }
            PaxosStep::Promise(a, b) => {
                next.promised[a] = Some(b);
                next.messages.insert(Message::Promise { ballot: b, acceptor: a, vote: state.accepted[a] });
            }
            PaxosStep::Propose(b, v) => {
                next.messages.insert(Message::Accept(b, v));
            }
            PaxosStep::Accept(a, b, v) => {
                next.promised[a] = Some(b);
                next.accepted[a] = Some((b, v));
                next.messages.insert(Message::Accepted { ballot: b, value: v, acceptor: a });
            }
            PaxosStep::Learn(k, v) => next.learned[k] = Some(v),
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn ever(model: &Paxos, state: &Synod, value: Value) -> bool {
            (0..model.ballots).any(|b| state.chosen(b, value))
        }
        vec![
            Property::always("one value chosen", |model: &Paxos, state: &Synod| {
                (0..model.values).filter(|&v| ever(model, state, v)).count() <= 1
            }),
            Property::always("learners agree", |_: &Paxos, state: &Synod| {
                state.learned.iter().flatten().collect::<BTreeSet<_>>().len() <= 1
            }),
            Property::always("only requested values", |model: &Paxos, state: &Synod| {
                (0..model.values).all(|v| !ever(model, state, v) || state.requested.contains(&v))
            }),
        ]
    }
}

// ---- Raft

type Term = u32;
type Index = usize;

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
enum Role {
    Follower,
    Candidate,
    Leader,
}

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, PartialOrd, Ord)]
pub enum Letter {
    RequestVote { term: Term, candidate: usize, last_term: Term, last_index: Index },
    Vote { term: Term, voter: usize, candidate: usize },
    Append { term: Term, leader: usize, prev_index: Index, prev_term: Term, entry: Option<Term>, commit: Index },
    Reply { term: Term, follower: usize, leader: usize, matching: Index },
}

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
pub struct Cluster {
    term: Vec<Term>,
    voted_for: Vec<Option<usize>>,
    log: Vec<Vec<Term>>,
    role: Vec<Role>,
    commit_index: Vec<Index>,
    messages: BTreeSet<Letter>,
    elected: BTreeSet<(Term, usize)>,
    committed: BTreeSet<(Term, Index, Term)>,
}

impl Cluster {
    fn servers(&self) -> usize {
        self.term.len()
    }
    fn term_at(&self, s: usize, index: Index) -> Term {
        if index == 0 { 0 } else { self.log[s].get(index - 1).copied().unwrap_or(0) }
    }
    fn last_term(&self, s: usize) -> Term {
        self.term_at(s, self.log[s].len())
    }
    fn is_enough(&self, servers: usize) -> bool {
        2 * servers > self.servers()
    }
    fn has_votes(&self, s: usize) -> bool {
        let vote = |voter: usize| Letter::Vote { term: self.term[s], voter, candidate: s };
        self.is_enough((0..self.servers()).filter(|&v| v == s || self.messages.contains(&vote(v))).count())
    }
    fn may_commit(&self, s: usize, index: Index) -> bool {
        let has_it = |r: usize| {
            r == s
                || (index..=self.log[s].len()).any(|matching| {
                    self.messages.contains(&Letter::Reply { term: self.term[s], follower: r, leader: s, matching })
                })
        };
        self.term_at(s, index) == self.term[s] && self.is_enough((0..self.servers()).filter(|&r| has_it(r)).count())
    }
    fn observe(&mut self, s: usize, term: Term) {
        if term > self.term[s] {
            self.term[s] = term;
            self.voted_for[s] = None;
            self.role[s] = Role::Follower;
        }
    }
    fn send_entry(&mut self, s: usize, index: Index) {
        self.messages.insert(Letter::Append {
            term: self.term[s],
            leader: s,
            prev_index: index - 1,
            prev_term: self.term_at(s, index - 1),
            entry: Some(self.log[s][index - 1]),
            commit: self.commit_index[s],
        });
    }
    fn handle_request(&mut self, s: usize, term: Term, candidate: usize, last: (Term, Index)) {
        self.observe(s, term);
        if last >= (self.last_term(s), self.log[s].len()) {
            self.voted_for[s] = Some(candidate);
            self.messages.insert(Letter::Vote { term, voter: s, candidate });
        }
    }
    fn handle_append(&mut self, s: usize, message: &Letter) {
        let Letter::Append { term, leader, prev_index, prev_term, entry, commit } = *message else { return };
        self.observe(s, term);
        self.role[s] = Role::Follower;
        if prev_index > self.log[s].len() || self.term_at(s, prev_index) != prev_term {
            return;
        }
        let mut matching = prev_index;
        if let Some(entry) = entry {
            matching += 1;
            if self.term_at(s, matching) != entry {
                self.log[s].truncate(prev_index);
                self.log[s].push(entry);
            }
        }
        self.messages.insert(Letter::Reply { term, follower: s, leader, matching });
        self.commit_index[s] = self.commit_index[s].max(commit.min(matching));
    }
    fn commit(&mut self, s: usize, index: Index) {
        let known = self.commit_index[s];
        self.commit_index[s] = index;
        for j in known + 1..=index {
            let (term, entry) = (self.term[s], self.term_at(s, j));
            self.committed.insert((term, j, entry));
            self.messages.insert(Letter::Append {
                term,
                leader: s,
                prev_index: j,
                prev_term: entry,
                entry: None,
                commit: index,
            });
        }
    }
}

pub struct Raft {
    pub servers: usize,
    pub terms: Term,
    pub indices: Index,
}

#[derive(Clone, Debug, PartialEq)]
pub enum RaftStep {
    TimeOut(usize),
    HandleRequest(usize, Letter),
    Win(usize),
    Restart(usize),
    Request(usize),
    HandleAppend(usize, Letter),
    Commit(usize, Index),
}

impl Model for Raft {
    type State = Cluster;
    type Action = RaftStep;

    fn init_states(&self) -> Vec<Cluster> {
        let servers = self.servers;
        vec![Cluster {
            term: vec![0; servers],
            voted_for: vec![None; servers],
            log: vec![Vec::new(); servers],
            role: vec![Role::Follower; servers],
            commit_index: vec![0; servers],
            messages: BTreeSet::new(),
            elected: BTreeSet::new(),
            committed: BTreeSet::new(),
        }]
    }

    fn actions(&self, state: &Cluster, actions: &mut Vec<RaftStep>) {
        for s in 0..self.servers {
            let own = state.term[s];
            if state.role[s] == Role::Leader {
                actions.push(RaftStep::Restart(s));
                if state.log[s].len() < self.indices {
                    actions.push(RaftStep::Request(s));
                }
                let open = state.commit_index[s] + 1..=state.log[s].len();
                actions.extend(open.filter(|&i| state.may_commit(s, i)).map(|i| RaftStep::Commit(s, i)));
            } else if own < self.terms {
                actions.push(RaftStep::TimeOut(s));
            }
            if state.role[s] == Role::Candidate && state.has_votes(s) {
                actions.push(RaftStep::Win(s));
            }
            for message in &state.messages {
                match *message {
                    Letter::RequestVote { term, candidate, .. }
                        if candidate != s && (term > own || term == own && state.voted_for[s].is_none()) =>
                    {
                        actions.push(RaftStep::HandleRequest(s, *message))
                    }
                    Letter::Append { term, leader, .. } if leader != s && term >= own => {
                        actions.push(RaftStep::HandleAppend(s, *message))
                    }
                    _ => (),
                }
            }
        }
    }

    fn next_state(&self, state: &Cluster, step: RaftStep) -> Option<Cluster> {
        let mut next = state.clone();
        match step {
            RaftStep::TimeOut(s) => {
                next.term[s] += 1;
                next.role[s] = Role::Candidate;
                next.voted_for[s] = Some(s);
                next.messages.insert(Letter::RequestVote {
                    term: next.term[s],
                    candidate: s,
                    last_term: state.last_term(s),
                    last_index: state.log[s].len(),
                });
            }
            RaftStep::HandleRequest(s, Letter::RequestVote { term, candidate, last_term, last_index }) => {
                next.handle_request(s, term, candidate, (last_term, last_index))
            }
            RaftStep::HandleRequest(..) => return None,
            RaftStep::Win(s) => {
                next.role[s] = Role::Leader;
                next.elected.insert((state.term[s], s));
                (1..=state.log[s].len()).for_each(|index| next.send_entry(s, index));
            }
            RaftStep::Restart(s) => next.role[s] = Role::Follower,
            RaftStep::Request(s) => {
                next.log[s].push(state.term[s]);
                next.send_entry(s, next.log[s].len());
            }
            RaftStep::HandleAppend(s, message) => next.handle_append(s, &message),
            RaftStep::Commit(s, index) => next.commit(s, index),
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn pairs(servers: usize) -> impl Iterator<Item = (usize, usize)> {
            (0..servers).flat_map(|a| (0..a).map(move |b| (a, b)))
        }
        vec![
            Property::always("election safety", |model: &Raft, state: &Cluster| {
                (1..=model.terms).all(|term| state.elected.iter().filter(|(t, _)| *t == term).count() <= 1)
            }),
            Property::always("log matching", |model: &Raft, state: &Cluster| {
                pairs(model.servers).all(|(a, b)| {
                    let common = state.log[a].len().min(state.log[b].len());
                    (1..=common)
                        .filter(|&i| state.term_at(a, i) == state.term_at(b, i))
                        .all(|i| state.log[a][..i] == state.log[b][..i])
                })
            }),
            Property::always("leader completeness", |model: &Raft, state: &Cluster| {
                (0..model.servers).filter(|&s| state.role[s] == Role::Leader).all(|s| {
                    let earlier = state.committed.iter().filter(|(term, _, _)| *term < state.term[s]);
                    earlier.into_iter().all(|&(_, index, entry)| state.term_at(s, index) == entry)
                })
            }),
            Property::always("state machine safety", |model: &Raft, state: &Cluster| {
                pairs(model.servers).all(|(a, b)| {
                    let known = state.commit_index[a].min(state.commit_index[b]);
                    (1..=known).all(|index| state.term_at(a, index) == state.term_at(b, index))
                })
            }),
        ]
    }
}
