// Arrivals on a schedule, whatever the server does, by vegeta: reads a plan as JSON, prints what happened as JSON. Latency
// counts from the scheduled instant, so that a stall is not hidden by requests that were sent late.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

type plan struct {
	Method    string
	Headers   map[string]string
	PerSecond float64
	Seconds   float64
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

func main() {
	var asked plan
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(attack(asked)); err != nil {
		log.Fatal(err)
	}
}

func attack(asked plan) outcome {
	interval := time.Duration(float64(time.Second) / asked.PerSecond)
	pacer := vegeta.Rate{Freq: 1, Per: interval}
	attacker := vegeta.NewAttacker(vegeta.Connections(256), vegeta.Workers(64), vegeta.Timeout(10*time.Second))
	var latencies, lateness, failures []time.Duration
	withoutRetryAfter := 0
	span := time.Duration(asked.Seconds * float64(time.Second))
	start := time.Now()
	for result := range attacker.Attack(targets(asked), pacer, span, "") {
		scheduled := start.Add(time.Duration(result.Seq) * interval)
		late := result.Timestamp.Sub(scheduled)
		lateness = append(lateness, late)
		latencies = append(latencies, late+result.Latency)
		if result.Code >= 300 || result.Error != "" {
			failures = append(failures, result.Latency)
			if result.Headers.Get("Retry-After") == "" {
				withoutRetryAfter++
			}
		}
	}
	return outcome{
		P50Ms: quantileMs(latencies, 0.5), P99Ms: quantileMs(latencies, 0.99), LateP99Ms: quantileMs(lateness, 0.99),
		Failed: len(failures), FailedP99Ms: quantileMs(failures, 0.99), WithoutRetryAfter: withoutRetryAfter,
	}
}

func targets(asked plan) vegeta.Targeter {
	header := http.Header{}
	for name, value := range asked.Headers {
		header.Set(name, value)
	}
	var sent atomic.Uint64
	return func(target *vegeta.Target) error {
		next := asked.Requests[sent.Add(1)%uint64(len(asked.Requests))]
		target.Method, target.URL, target.Body, target.Header = asked.Method, next.URL, []byte(next.Body), header
		return nil
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
