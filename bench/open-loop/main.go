// Arrivals on a schedule, whatever the server does: reads a plan as JSON, prints what happened as JSON. Latency counts from
// the scheduled instant, so that a stall is not hidden by requests that were sent late. It shares the processors with the
// server, so it must cost little: fasthttp, and no more goroutines than requests may be in flight.
package main

import (
	"encoding/json"
	"log"
	"math/rand/v2"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

type plan struct {
	// After so long the client hangs up; an answer that comes later than this after its scheduled instant is no good.
	TimeoutMs int
	// Connections, and requests under way at most.
	InFlightMax int
	// Of the random numbers by which gaps and kinds are drawn; with 0 arrivals are evenly spaced.
	Seed   uint64
	Stages []stage
	Mix    []kind
}

type stage struct {
	// With 0 each connection sends its next request when it has the answer to the last one.
	PerSecond float64
	Seconds   float64
}

// One kind of request, which is so large a share of all.
type kind struct {
	Name    string
	Share   float64
	Method  string
	Headers map[string]string
	// Sent in turn.
	Requests []request
	// Where each request needs what the answer to the one before it said.
	Chain *chain
}

type request struct {
	URL, Body string
	Headers   map[string]string
}

// The first values; each is used by one request at a time, in place of `{chain}` in its body, and replaced by the member
// `Field` of the answer.
type chain struct {
	Field  string
	Values []string
	free   chan string
}

type arrival struct {
	at          time.Duration
	stage, kind int
}

type outcome byte

const (
	good outcome = iota
	refused
	failed
)

type sample struct {
	arrival
	late, took   time.Duration
	outcome      outcome
	saysComeBack bool
}

func main() {
	var asked plan
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(summarize(asked, attack(asked))); err != nil {
		log.Fatal(err)
	}
}

func attack(asked plan) []sample {
	address, err := url.Parse(asked.Mix[0].Requests[0].URL)
	if err != nil {
		log.Fatal(err)
	}
	timeout := time.Duration(asked.TimeoutMs) * time.Millisecond
	client := &fasthttp.HostClient{
		Addr: address.Host, MaxConns: asked.InFlightMax, MaxIdemponentCallAttempts: 1,
		ReadTimeout: timeout, WriteTimeout: timeout,
	}
	for _, each := range asked.Mix {
		each.Chain.fill()
	}
	sent := make([]atomic.Int64, len(asked.Mix))
	samples := make([][]sample, asked.InFlightMax)
	start := time.Now()
	next := arrivals(asked, start)
	var workers sync.WaitGroup
	for worker := range samples {
		workers.Go(func() {
			question, answer := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			for due, isOne := next(); isOne; due, isOne = next() {
				time.Sleep(time.Until(start.Add(due.at)))
				of := asked.Mix[due.kind]
				what := of.Requests[int(sent[due.kind].Add(1)-1)%len(of.Requests)]
				value := of.Chain.take()
				write(question, of, what, value)
				begun := time.Since(start)
				err := client.Do(question, answer)
				ended := time.Since(start)
				one := sample{arrival: due, late: begun - due.at, took: ended - begun, outcome: failed}
				if err == nil {
					one.outcome = judge(answer.StatusCode(), ended-due.at <= timeout)
					one.saysComeBack = len(answer.Header.Peek("Retry-After")) > 0
				}
				of.Chain.giveBack(value, answer, err == nil && answer.StatusCode() < 300)
				samples[worker] = append(samples[worker], one)
			}
		})
	}
	workers.Wait()
	all := []sample{}
	for _, some := range samples {
		all = append(all, some...)
	}
	return all
}

// Gives what is due next, to whoever asks first.
func arrivals(asked plan, start time.Time) func() (arrival, bool) {
	random := rand.New(rand.NewPCG(asked.Seed, 1))
	var taken atomic.Int64
	if asked.Stages[0].PerSecond == 0 {
		kinds := make([]int, 1<<16)
		for index := range kinds {
			kinds[index] = draw(asked.Mix, random)
		}
		end := seconds(asked.Stages[0].Seconds)
		return func() (arrival, bool) {
			now := time.Since(start)
			return arrival{at: now, kind: kinds[int(taken.Add(1)-1)%len(kinds)]}, now < end
		}
	}
	schedule := []arrival{}
	begins := time.Duration(0)
	for number, each := range asked.Stages {
		for at := gap(asked.Seed, random, each.PerSecond); at < each.Seconds; at += gap(asked.Seed, random, each.PerSecond) {
			schedule = append(schedule, arrival{at: begins + seconds(at), stage: number, kind: draw(asked.Mix, random)})
		}
		begins += seconds(each.Seconds)
	}
	return func() (arrival, bool) {
		number := int(taken.Add(1)) - 1
		if number >= len(schedule) {
			return arrival{}, false
		}
		return schedule[number], true
	}
}

// Seconds to the next arrival.
func gap(seed uint64, random *rand.Rand, perSecond float64) float64 {
	if seed == 0 {
		return 1 / perSecond
	}
	return random.ExpFloat64() / perSecond
}

func draw(mix []kind, random *rand.Rand) int {
	left := random.Float64()
	for index, each := range mix {
		if left -= each.Share; left < 0 {
			return index
		}
	}
	return len(mix) - 1
}

func write(question *fasthttp.Request, of kind, what request, value string) {
	question.Reset()
	question.Header.SetMethod(of.Method)
	question.SetRequestURI(what.URL)
	for _, headers := range []map[string]string{of.Headers, what.Headers} {
		for name, text := range headers {
			question.Header.Set(name, text)
		}
	}
	question.SetBodyString(strings.Replace(what.Body, "{chain}", value, 1))
}

func judge(status int, isInTime bool) outcome {
	if status == 503 || status == 429 {
		return refused
	}
	if status >= 300 || !isInTime {
		return failed
	}
	return good
}

func (c *chain) fill() {
	if c == nil {
		return
	}
	c.free = make(chan string, len(c.Values))
	for _, value := range c.Values {
		c.free <- value
	}
}

func (c *chain) take() string {
	if c == nil {
		return ""
	}
	return <-c.free
}

// What the next request of each would have needed.
func (c *chain) left() []string {
	values := []string{}
	for range c.Values {
		values = append(values, <-c.free)
	}
	return values
}

func (c *chain) giveBack(value string, answer *fasthttp.Response, isAnswered bool) {
	if c == nil {
		return
	}
	if isAnswered {
		var members map[string]any
		if json.Unmarshal(answer.Body(), &members) == nil {
			if next, isText := members[c.Field].(string); isText {
				value = next
			}
		}
	}
	c.free <- value
}

func seconds(of float64) time.Duration { return time.Duration(of * float64(time.Second)) }
