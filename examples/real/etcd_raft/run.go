package main

import (
	"encoding/json"
	"math/rand"
	"os"
	"strconv"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// The library's own state trace, an event on each line.
type printer struct{ lines *json.Encoder }

func (p printer) TraceEvent(event *raft.TracingEvent) { must(p.lines.Encode(event)) }

// run prints the trace of a cluster whose network loses a tenth of the messages, repeats a tenth and delivers in any order, and
// whose servers are cut off and crash now and then.
func run(seed int64, steps int) {
	chance := rand.New(rand.NewSource(seed))
	network := []pb.Message{}
	alone := uint64(0)
	lines := json.NewEncoder(os.Stdout)
	c := newCluster(printer{lines}, func(m pb.Message) {
		if chance.Float64() < 0.9 && m.From != alone && m.To != alone {
			network = append(network, m)
		}
	})
	for number := range steps {
		s := c.servers[uint64(1+chance.Intn(servers))]
		switch dice := chance.Float64(); {
		case dice < 0.7 && len(network) > 0:
			i := chance.Intn(min(len(network), 4))
			m := network[i]
			if chance.Float64() < 0.9 {
				network = append(network[:i], network[i+1:]...)
			}
			c.step(m)
		case dice < 0.9:
			s.Tick()
			c.settle(s)
		case dice < 0.985:
			if s.BasicStatus().RaftState == raft.StateLeader {
				must(s.Propose([]byte(strconv.Itoa(number))))
				c.settle(s)
			}
		case dice < 0.995:
			alone = uint64(chance.Intn(servers + 2)) // Perhaps nobody.
		default:
			c.boot(s)
			c.settle(s)
		}
	}
}
