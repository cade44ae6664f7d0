// Three servers of etcd's Raft library in one process, whose network, disk and clock are in the hands of whoever drives them.
//
// The driver of a step (drive.go) does what a specification says; a run (run.go) is random, under loss, repetition, reordering
// and crashes, and prints the library's own state trace.
package main

import (
	"io"
	"log"
	"math"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

const servers = 3

// What is on a server's disk. The members are fixed; no log entry tells them.
type disk struct{ *raft.MemoryStorage }

func (d disk) InitialState() (pb.HardState, pb.ConfState, error) {
	hard, _, err := d.MemoryStorage.InitialState()
	return hard, pb.ConfState{Voters: []uint64{1, 2, 3}}, err
}

type server struct {
	*raft.RawNode
	id   uint64
	disk disk
}

type cluster struct {
	servers map[uint64]*server
	tracer  raft.TraceLogger
	send    func(pb.Message)
}

func newCluster(tracer raft.TraceLogger, send func(pb.Message)) *cluster {
	c := &cluster{servers: map[uint64]*server{}, tracer: tracer, send: send}
	for id := uint64(1); id <= servers; id++ {
		c.servers[id] = &server{id: id, disk: disk{raft.NewMemoryStorage()}}
		c.boot(c.servers[id])
	}
	return c
}

// boot starts a server with what is on its disk.
func (c *cluster) boot(s *server) {
	node, err := raft.NewRawNode(&raft.Config{
		ID:              s.id,
		ElectionTick:    10,
		HeartbeatTick:   1,
		Storage:         s.disk,
		MaxSizePerMsg:   math.MaxUint64,
		MaxInflightMsgs: 16,
		Logger:          &raft.DefaultLogger{Logger: log.New(io.Discard, "", 0)},
		TraceLogger:     c.tracer,
	})
	must(err)
	s.RawNode = node
}

// settle writes to the disk what is to be written, and only then sends what was to be sent.
func (c *cluster) settle(s *server) {
	for s.HasReady() {
		ready := s.Ready()
		must(s.disk.Append(ready.Entries))
		if !raft.IsEmptyHardState(ready.HardState) {
			must(s.disk.SetHardState(ready.HardState))
		}
		for _, message := range ready.Messages {
			c.send(message)
		}
		s.Advance(ready)
	}
}

// step delivers a message. That the library has no use for it is no mistake.
func (c *cluster) step(m pb.Message) {
	_ = c.servers[m.To].Step(m)
	c.settle(c.servers[m.To])
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
