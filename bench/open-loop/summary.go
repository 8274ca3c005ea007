package main

import (
	"slices"
	"time"
)

// What is printed: each stage as a whole, by kind, and second by second.
type report struct {
	LateP99Ms float64       `json:"lateP99Ms"`
	Stages    []stageReport `json:"stages"`
	// The values of chains by kind, for a plan that goes on from here.
	Chains map[string][]string `json:"chains"`
}

type stageReport struct {
	All      figures            `json:"all"`
	Kinds    map[string]figures `json:"kinds"`
	BySecond []figures          `json:"bySecond"`
}

type figures struct {
	Sent    int `json:"sent"`
	Good    int `json:"good"`
	Refused int `json:"refused"`
	Failed  int `json:"failed"`
	// Of the good ones, from the scheduled instant.
	P50Ms float64 `json:"p50Ms"`
	P99Ms float64 `json:"p99Ms"`
	// Of the refused ones: how long the answer took, and how many did not say when to come back.
	RefusedP99Ms      float64 `json:"refusedP99Ms"`
	WithoutRetryAfter int     `json:"withoutRetryAfter"`
}

func summarize(asked plan, samples []sample) report {
	lateness := []time.Duration{}
	for _, one := range samples {
		lateness = append(lateness, one.late)
	}
	found := report{LateP99Ms: quantileMs(lateness, 0.99), Stages: make([]stageReport, len(asked.Stages)), Chains: map[string][]string{}}
	for _, kind := range asked.Mix {
		if kind.Chain != nil {
			found.Chains[kind.Name] = kind.Chain.left()
		}
	}
	begins := time.Duration(0)
	for number, each := range asked.Stages {
		of := samplesOf(samples, func(one sample) bool { return one.stage == number })
		kinds := map[string]figures{}
		for index, kind := range asked.Mix {
			kinds[kind.Name] = figuresOf(samplesOf(of, func(one sample) bool { return one.kind == index }))
		}
		bySecond := []figures{}
		for second := begins; second < begins+seconds(each.Seconds); second += time.Second {
			bySecond = append(bySecond, figuresOf(samplesOf(of, func(one sample) bool {
				return one.at >= second && one.at < second+time.Second
			})))
		}
		found.Stages[number] = stageReport{All: figuresOf(of), Kinds: kinds, BySecond: bySecond}
		begins += seconds(each.Seconds)
	}
	return found
}

func samplesOf(samples []sample, fits func(sample) bool) []sample {
	of := []sample{}
	for _, one := range samples {
		if fits(one) {
			of = append(of, one)
		}
	}
	return of
}

func figuresOf(samples []sample) figures {
	found := figures{Sent: len(samples)}
	latencies, refusals := []time.Duration{}, []time.Duration{}
	for _, one := range samples {
		switch one.outcome {
		case good:
			found.Good++
			latencies = append(latencies, one.late+one.took)
		case refused:
			found.Refused++
			refusals = append(refusals, one.took)
			if !one.saysComeBack {
				found.WithoutRetryAfter++
			}
		case failed:
			found.Failed++
		}
	}
	found.P50Ms, found.P99Ms = quantileMs(latencies, 0.5), quantileMs(latencies, 0.99)
	found.RefusedP99Ms = quantileMs(refusals, 0.99)
	return found
}

func quantileMs(samples []time.Duration, share float64) float64 {
	if len(samples) == 0 {
		return 0
	}
	slices.Sort(samples)
	at := min(len(samples)-1, int(float64(len(samples))*share))
	return float64(samples[at]) / float64(time.Millisecond)
}
