package main

import (
	"context"
	"fmt"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const folder = "/services/com.example.bench.Told/"

// A list of providers as keys under a prefix, each with a lease, and clients that read it once and
// then watch the prefix, folding events into what they hold. Who holds a list of the expected
// length was told of the change.
type tell struct {
	port, entries, entryBytes int

	publisher *clientv3.Client
	lease     clientv3.LeaseID
	begin     []int64

	mutex    sync.Mutex // of all below
	clients  int
	changes  int
	toldNow  []int64
	toldAt   [][]int64
	starting sync.WaitGroup
}

func (t *tell) key(number int) string { return fmt.Sprintf("%s%012d", folder, number) }

func (t *tell) put(number int) {
	_, err := t.publisher.Put(context.Background(), t.key(number), entry(number, t.entryBytes),
		clientv3.WithLease(t.lease))
	die("put", err)
}

func (t *tell) prepare() {
	t.publisher = open(t.port)
	granted, err := t.publisher.Grant(context.Background(), leaseSeconds)
	die("a lease", err)
	t.lease = granted.ID
	alive, err := t.publisher.KeepAlive(context.Background(), t.lease)
	die("keeping the lease", err)
	go func() {
		for range alive {
		}
	}()
	for i := 0; i < t.entries; i++ {
		t.put(i)
	}
	say(map[string]bool{"prepared": true})
}

func (t *tell) watch(count int) {
	t.mutex.Lock()
	missing := count - t.clients
	t.clients = count
	t.mutex.Unlock()
	t.starting.Add(missing)
	places := make(chan struct{}, 100) // so many connect at a time
	for i := 0; i < missing; i++ {
		places <- struct{}{}
		go func() {
			events, held := t.start()
			<-places
			t.starting.Done()
			t.follow(events, held)
		}()
	}
	t.starting.Wait()
	say(map[string]int{"watching": count})
}

// Reads the list and watches from there; returns when the server has said that it watches.
func (t *tell) start() (clientv3.WatchChan, map[string]string) {
	client := open(t.port)
	list, err := client.Get(context.Background(), folder, clientv3.WithPrefix())
	die("reading the list", err)
	held := map[string]string{}
	for _, one := range list.Kvs {
		held[string(one.Key)] = string(one.Value)
	}
	events := client.Watch(context.Background(), folder, clientv3.WithPrefix(),
		clientv3.WithRev(list.Header.Revision+1), clientv3.WithCreatedNotify())
	first := <-events
	die("watching", first.Err())
	return events, held
}

func (t *tell) follow(events clientv3.WatchChan, held map[string]string) {
	for response := range events {
		die("a watch", response.Err())
		before := len(held)
		for _, event := range response.Events {
			if event.Type == clientv3.EventTypePut {
				held[string(event.Kv.Key)] = string(event.Kv.Value)
			} else {
				delete(held, string(event.Kv.Key))
			}
		}
		if len(held) != before {
			t.told(now())
		}
	}
}

func (t *tell) told(at int64) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.toldNow = append(t.toldNow, at)
	if len(t.toldNow) == t.clients {
		t.toldAt = append(t.toldAt, t.toldNow)
		t.toldNow = make([]int64, 0, t.clients)
		t.changes++
		say(map[string]int{"told": t.changes})
	}
}

// Odd changes join one to the list, even ones take it out again.
func (t *tell) change(number int) {
	t.begin = append(t.begin, now())
	if number%2 == 1 {
		t.put(t.entries)
		return
	}
	_, err := t.publisher.Delete(context.Background(), t.key(t.entries))
	die("delete", err)
}

func (t *tell) times() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	say(map[string]any{"begin": t.begin, "told_at": t.toldAt})
	t.begin, t.toldAt = nil, nil
}
