package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const perService = 10

// Registers providers as keys with a lease for each connection, many in one transaction, one of
// them outstanding on each connection.
type register struct {
	first, registrations, batch, entryBytes int

	clients []*clientv3.Client
	leases  []clientv3.LeaseID
}

func newRegister(port, connections int, what register) *register {
	r := &what
	for i := 0; i < connections; i++ {
		client := open(port)
		granted, err := client.Grant(context.Background(), leaseSeconds)
		die("a lease", err)
		r.clients = append(r.clients, client)
		r.leases = append(r.leases, granted.ID)
	}
	return r
}

func (r *register) run() {
	next, end := int64(r.first), r.first+r.registrations
	var registered int64
	var mutex sync.Mutex
	var took []int64
	var working sync.WaitGroup
	begin := now()
	for i := range r.clients {
		working.Add(1)
		go func(client *clientv3.Client, lease clientv3.LeaseID) {
			defer working.Done()
			for {
				first := int(atomic.AddInt64(&next, int64(r.batch))) - r.batch
				if first >= end {
					return
				}
				puts := r.puts(first, min(end, first+r.batch), lease)
				sentAt := now()
				answer, err := client.Txn(context.Background()).Then(puts...).Commit()
				die("registering", err)
				mutex.Lock()
				took = append(took, now()-sentAt)
				registered += int64(len(answer.Responses))
				mutex.Unlock()
			}
		}(r.clients[i], r.leases[i])
	}
	working.Wait()
	say(map[string]any{"begin": begin, "end": now(), "registered": registered, "batch_ns": took})
}

func (r *register) puts(first, end int, lease clientv3.LeaseID) []clientv3.Op {
	var puts []clientv3.Op
	for number := first; number < end; number++ {
		key := fmt.Sprintf("/services/com.example.bench.Service%d/%012d", number/perService, number)
		puts = append(puts, clientv3.OpPut(key, entry(number, r.entryBytes),
			clientv3.WithLease(lease)))
	}
	return puts
}
