// Arrivals on a schedule, whatever the server does: reads a plan as JSON, prints what happened as JSON. Latency counts from
// the scheduled instant, so that a stall is not hidden by requests that were sent late. It shares the processors with the
// server, so it must cost little: fasthttp, and no more goroutines than requests may be in flight.
package main

import (
	"encoding/json"
	"log"
	"net/url"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	inFlightMax = 256
	timeout     = 10 * time.Second
)

type plan struct {
	Method    string
	Headers   map[string]string
	PerSecond float64
	// Sent, but not counted: connections are opened meanwhile.
	WarmSeconds float64
	Seconds     float64
	// Sent in turn.
	Requests []struct{ URL, Body string }
}

type outcome struct {
	P50Ms     float64 `json:"p50Ms"`
	P99Ms     float64 `json:"p99Ms"`
	LateP99Ms float64 `json:"lateP99Ms"`
	Failed    int     `json:"failed"`
	// Of the failed ones: how long the answer took, and how many did not say when to come back.
	FailedP99Ms       float64 `json:"failedP99Ms"`
	WithoutRetryAfter int     `json:"withoutRetryAfter"`
}

type sample struct {
	late, took           time.Duration
	failed, saysComeBack bool
}

func main() {
	var asked plan
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(summarize(attack(asked))); err != nil {
		log.Fatal(err)
	}
}

func attack(asked plan) []sample {
	address, err := url.Parse(asked.Requests[0].URL)
	if err != nil {
		log.Fatal(err)
	}
	client := &fasthttp.HostClient{
		Addr: address.Host, MaxConns: inFlightMax, MaxIdemponentCallAttempts: 1, ReadTimeout: timeout, WriteTimeout: timeout,
	}
	interval := time.Duration(float64(time.Second) / asked.PerSecond)
	warm := int(asked.PerSecond * asked.WarmSeconds)
	samples := make([]sample, warm+int(asked.PerSecond*asked.Seconds))
	start := time.Now()
	var taken atomic.Int64
	var workers sync.WaitGroup
	for range inFlightMax {
		workers.Go(func() {
			request := newRequest(asked)
			response := fasthttp.AcquireResponse()
			for number := int(taken.Add(1)) - 1; number < len(samples); number = int(taken.Add(1)) - 1 {
				next := asked.Requests[number%len(asked.Requests)]
				request.SetRequestURI(next.URL)
				request.SetBodyString(next.Body)
				scheduled := start.Add(time.Duration(number) * interval)
				time.Sleep(time.Until(scheduled))
				sent := time.Now()
				err := client.Do(request, response)
				samples[number] = sample{
					late: sent.Sub(scheduled), took: time.Since(sent),
					failed:       err != nil || response.StatusCode() >= 300,
					saysComeBack: err == nil && len(response.Header.Peek("Retry-After")) > 0,
				}
			}
		})
	}
	workers.Wait()
	return samples[warm:]
}

func newRequest(asked plan) *fasthttp.Request {
	request := fasthttp.AcquireRequest()
	request.Header.SetMethod(asked.Method)
	for name, value := range asked.Headers {
		request.Header.Set(name, value)
	}
	return request
}

func summarize(samples []sample) outcome {
	var latencies, lateness, failures []time.Duration
	withoutRetryAfter := 0
	for _, one := range samples {
		lateness = append(lateness, one.late)
		latencies = append(latencies, one.late+one.took)
		if !one.failed {
			continue
		}
		failures = append(failures, one.took)
		if !one.saysComeBack {
			withoutRetryAfter++
		}
	}
	return outcome{
		P50Ms: quantileMs(latencies, 0.5), P99Ms: quantileMs(latencies, 0.99), LateP99Ms: quantileMs(lateness, 0.99),
		Failed: len(failures), FailedP99Ms: quantileMs(failures, 0.99), WithoutRetryAfter: withoutRetryAfter,
	}
}

func quantileMs(samples []time.Duration, share float64) float64 {
	if len(samples) == 0 {
		return 0
	}
	slices.Sort(samples)
	at := min(len(samples)-1, int(float64(len(samples))*share))
	return float64(samples[at]) / float64(time.Millisecond)
}
