// etcd's side of ./dev bench peers; bench/peers/README.md has its commands.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

const leaseSeconds = 300 // longer than a run of one system

var started = time.Now()

// Nanoseconds of a clock that never jumps.
func now() int64 { return int64(time.Since(started)) }

func die(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func say(what any) {
	text, err := json.Marshal(what)
	die("writing JSON", err)
	fmt.Println(string(text))
}

// A client of its own, with a gRPC connection of its own.
func open(port int) *clientv3.Client {
	client, err := clientv3.New(clientv3.Config{
		Endpoints:   []string{fmt.Sprintf("127.0.0.1:%d", port)},
		DialTimeout: 30 * time.Second,
		Logger:      zap.NewNop(),
	})
	die("a client", err)
	return client
}

// A provider's address and parameters.
func entry(number, bytes int) string {
	text := fmt.Sprintf("10.1.%d.%d:12200?number=%d&", number/250%250, number%250, number)
	return text + strings.Repeat("x", max(0, bytes-len(text)))
}

func max(a, b int) int {
	if a > b {
		return a
	}
	return b
}

func runTell(load *tell) {
	for commands := bufio.NewScanner(os.Stdin); commands.Scan(); {
		words := append(strings.Fields(commands.Text()), "0")
		number, _ := strconv.Atoi(words[1])
		switch words[0] {
		case "prepare":
			load.prepare()
		case "watch":
			load.watch(number)
		case "change":
			load.change(number)
		case "times":
			load.times()
		default:
			die("unknown command", fmt.Errorf("%q", commands.Text()))
		}
	}
}

func runRegister(load *register) {
	say(map[string]bool{"prepared": true})
	for commands := bufio.NewScanner(os.Stdin); commands.Scan(); {
		load.run()
	}
}

func main() {
	var numbers []int
	for _, text := range os.Args[min(2, len(os.Args)):] {
		number, err := strconv.Atoi(text)
		die("an argument", err)
		numbers = append(numbers, number)
	}
	switch {
	case len(numbers) == 3 && os.Args[1] == "tell":
		runTell(&tell{port: numbers[0], entries: numbers[1], entryBytes: numbers[2]})
	case len(numbers) == 6 && os.Args[1] == "register":
		runRegister(newRegister(numbers[0], numbers[1], register{
			first: numbers[2], registrations: numbers[3], batch: numbers[4], entryBytes: numbers[5],
		}))
	default:
		fmt.Fprintln(os.Stderr, "usage: tell PORT ENTRIES ENTRY_BYTES, or:",
			"register PORT CONNECTIONS FIRST REGISTRATIONS BATCH ENTRY_BYTES")
		os.Exit(2)
	}
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}
