package main

import (
	"bufio"
	"encoding/json"
	"math"
	"os"
	"strconv"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

type object = map[string]any

type entry struct {
	Term    uint64 `json:"term"`
	Command string `json:"command"`
}

// A step that the specification takes: an action and its arguments. A message is one of two kinds, whose fields do not clash.
type step struct {
	Do, Action string
	Args       struct {
		S, A, B, C, X string
		I             uint64
		M             struct {
			Term, Commit      uint64
			Candidate, Leader string
			LastIndex         uint64 `json:"last_index"`
			LastTerm          uint64 `json:"last_term"`
			PrevIndex         uint64 `json:"prev_index"`
			PrevTerm          uint64 `json:"prev_term"`
			Entry             *entry
		}
	}
}

type place struct{ term, index uint64 }

// The driven cluster. A leader of the library begins with an entry without a command; in the specification it need not. That
// entry stands for the first command that a client asks of the leader: it is not shown before.
type driven struct {
	*cluster
	replies []pb.Message
	command map[place]string
}

func newDriven() *driven {
	d := &driven{command: map[place]string{}}
	d.cluster = newCluster(nil, func(m pb.Message) { d.replies = append(d.replies, m) })
	return d
}

func (d *driven) named(name string) *server {
	id, err := strconv.ParseUint(name, 10, 64)
	must(err)
	return d.servers[id]
}

func (d *driven) timeOut(s *server) {
	must(s.Campaign())
	d.settle(s)
}

func (d *driven) handleRequest(s, candidate *server, term, lastIndex, lastTerm uint64) {
	d.step(pb.Message{Type: pb.MsgVote, From: candidate.id, To: s.id, Term: term, Index: lastIndex, LogTerm: lastTerm})
}

// hear delivers the replies of a kind that were sent to a server in its term, as long as it `waits`.
func (d *driven) hear(s *server, kind pb.MessageType, from uint64, waits func() bool) {
	for _, m := range d.replies {
		if waits() && m.Type == kind && m.To == s.id && m.Term == s.BasicStatus().Term && !m.Reject && m.Index >= from {
			d.step(m)
		}
	}
}

func (d *driven) win(s *server) (refused any) {
	leads := func() bool { return s.BasicStatus().RaftState == raft.StateLeader }
	d.hear(s, pb.MsgVoteResp, 0, func() bool { return !leads() })
	if !leads() {
		return "it does not win"
	}
	return nil
}

func (d *driven) commit(s *server, index uint64) (refused any) {
	lags := func() bool { return s.BasicStatus().Commit < index }
	d.hear(s, pb.MsgAppResp, index, lags)
	if lags() {
		return "it does not commit this"
	}
	return nil
}

func (d *driven) request(s *server, command string) (refused any) {
	if last := d.last(s); last > 0 {
		if at := (place{d.term(s, last), last}); at.term == s.BasicStatus().Term && d.command[at] == "" {
			d.command[at] = command
			return nil
		}
	}
	if err := s.Propose([]byte(command)); err != nil {
		return err.Error()
	}
	d.settle(s)
	last := d.last(s)
	d.command[place{d.term(s, last), last}] = command
	return nil
}

// restart crashes a server. The entry that a leader began with, if it is not shown yet, has not reached the disk.
func (d *driven) restart(s *server) {
	if last := d.last(s); last > 0 && d.command[place{d.term(s, last), last}] == "" {
		kept := []pb.Entry{}
		if last > 1 {
			var err error
			kept, err = s.disk.Entries(1, last, math.MaxUint64)
			must(err)
		}
		hard, _, err := s.disk.InitialState()
		must(err)
		s.disk = disk{raft.NewMemoryStorage()}
		must(s.disk.Append(kept))
		must(s.disk.SetHardState(hard))
	}
	d.boot(s)
	d.settle(s)
}

func (d *driven) last(s *server) uint64 {
	last, err := s.disk.LastIndex()
	must(err)
	return last
}

func (d *driven) term(s *server, index uint64) uint64 {
	term, err := s.disk.Term(index)
	must(err)
	return term
}

func (d *driven) perform(c step) (refused any) {
	a, m := c.Args, c.Args.M
	switch c.Action {
	case "time_out":
		d.timeOut(d.named(a.S))
	case "handle_request":
		d.handleRequest(d.named(a.S), d.named(m.Candidate), m.Term, m.LastIndex, m.LastTerm)
	case "win":
		return d.win(d.named(a.S))
	case "restart":
		d.restart(d.named(a.S))
	case "request":
		return d.request(d.named(a.S), a.C)
	case "handle_append":
		s, leader := d.named(a.S), d.named(m.Leader)
		append := pb.Message{
			Type: pb.MsgApp, From: leader.id, To: s.id, Term: m.Term, Index: m.PrevIndex, LogTerm: m.PrevTerm, Commit: m.Commit,
		}
		if m.Entry != nil {
			append.Entries = []pb.Entry{{Term: m.Entry.Term, Index: m.PrevIndex + 1, Data: []byte(m.Entry.Command)}}
		}
		d.step(append)
	case "commit":
		return d.commit(d.named(a.S), a.I)
	default:
		panic("no action of `raft`: " + c.Action)
	}
	return nil
}

// figure8 is how the variants of `raft` about commitment begin: `a` led term 1 and `b` leads term 2, each with an entry.
func (d *driven) figure8(a, b, c *server, command string) {
	elect := func(s *server) {
		d.timeOut(s)
		d.handleRequest(c, s, s.BasicStatus().Term, 0, 0)
		d.win(s)
	}
	elect(a)
	d.request(a, command)
	d.handleRequest(b, a, 1, 0, 0)
	elect(b)
	d.request(b, command)
}

func (d *driven) observe() object {
	term, vote, role, commit, log := object{}, object{}, object{}, object{}, object{}
	for id, s := range d.servers {
		name, status := strconv.FormatUint(id, 10), s.BasicStatus()
		term[name], commit[name], vote[name] = status.Term, status.Commit, nil
		if status.Vote != raft.None {
			vote[name] = strconv.FormatUint(status.Vote, 10)
		}
		role[name] = map[raft.StateType]string{
			raft.StateFollower: "follower", raft.StateCandidate: "candidate", raft.StateLeader: "leader",
		}[status.RaftState]
		entries := []entry{}
		for index := uint64(1); index <= d.last(s); index++ {
			if at := (place{d.term(s, index), index}); d.command[at] != "" {
				entries = append(entries, entry{at.term, d.command[at]})
			}
		}
		log[name] = entries
	}
	return object{"term": term, "voted_for": vote, "role": role, "commit_index": commit, "log": log}
}

func drive() {
	d := newDriven()
	answers := json.NewEncoder(os.Stdout)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var c step
		must(json.Unmarshal(lines.Bytes(), &c))
		var refused any
		if c.Do == "perform" {
			refused = d.perform(c)
		} else {
			d = newDriven()
			if a := c.Args; a.A != "" {
				d.figure8(d.named(a.A), d.named(a.B), d.named(a.C), a.X)
			}
		}
		must(answers.Encode(object{"refused": refused, "vars": d.observe()}))
	}
}

func main() {
	if len(os.Args) == 3 {
		seed, err := strconv.ParseInt(os.Args[1], 10, 64)
		must(err)
		steps, err := strconv.Atoi(os.Args[2])
		must(err)
		run(seed, steps)
	} else {
		drive()
	}
}
