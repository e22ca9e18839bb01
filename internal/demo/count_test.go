package demo

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

// Each way to lose something is found, and found once.
func TestCountFindsLosses(t *testing.T) {
	orders := func(keys ...string) map[uint64]order {
		m := make(map[uint64]order)
		for i, key := range keys {
			if key != "" {
				m[uint64(i+1)] = order{uint64(i + 1), key}
			}
		}
		return m
	}
	taken := func(id uint64, key string) *exchange {
		return &exchange{method: http.MethodPost, key: key, status: http.StatusCreated, order: id}
	}
	for name, c := range map[string]struct {
		at       snapshot
		notes    []*exchange
		finished []order
		after    contents
		lost     string // of the only loss; "" is none
		says     string
	}{
		"nothing": {says: "in flight at the signal: 0 requests, 0 jobs; answered 0 of 0, finished 0 of 0; lost: 0"},
		"all well": {
			at:    snapshot{requests: []*exchange{{status: 201}, {status: 200}}, jobs: []order{{1, "a"}}},
			notes: []*exchange{taken(1, "a"), taken(2, "b"), {status: 200}}, finished: []order{{1, "a"}},
			after: contents{orders: orders("a", "b"), done: map[uint64]int{1: 1}, last: 2},
			says:  "in flight at the signal: 2 requests, 1 job; answered 2 of 2, finished 1 of 1; lost: 0",
		},
		"cut": {
			at:    snapshot{requests: []*exchange{{status: 503}}, jobs: []order{{1, "a"}}},
			notes: []*exchange{taken(1, "a"), {status: 503}},
			after: contents{orders: orders("a"), last: 1},
			says:  "answered 0 of 1 (1 turned away), finished 0 of 1 (1 kept for next time); lost: 0",
		},
		"an order": {
			notes: []*exchange{taken(1, "a")},
			lost:  "order 1 (a) was acknowledged and is not in the journal",
		},
		"an order that is another's": {
			notes: []*exchange{taken(1, "a")},
			after: contents{orders: orders("b"), last: 1},
			lost:  "order 1 (a) was acknowledged and is not in the journal",
		},
		"an order whose job went on": {
			at:    snapshot{jobs: []order{{1, "a"}}},
			notes: []*exchange{taken(1, "a")}, finished: []order{{1, "a"}},
			after: contents{done: map[uint64]int{1: 1}, last: 1},
			lost:  "order 1 (a) was acknowledged and is not in the journal",
		},
		"an answer": {
			notes: []*exchange{{method: "GET", key: "a", err: errors.New("EOF")}},
			lost:  "request GET a was accepted and not answered: EOF",
		},
		"a finished job": {
			finished: []order{{1, "a"}},
			after:    contents{orders: orders("a"), last: 1},
			lost:     "order 1 had its job finished, which the journal does not know",
		},
		"a job in hand": {
			at:   snapshot{jobs: []order{{1, "a"}}},
			lost: "order 1 was in hand, and is neither done nor in the journal",
		},
		"a job done twice": {
			after: contents{orders: orders("a"), done: map[uint64]int{1: 2}, last: 1},
			lost:  "order 1 had its job done 2 times",
		},
	} {
		t.Run(name, func(t *testing.T) {
			count := take(c.at, &load{notes: c.notes}, &consumers{finished: c.finished}, &contents{}, &c.after)
			switch {
			case c.lost == "" && len(count.Lost) > 0:
				t.Errorf("lost: %q, want nothing", count.Lost)
			case c.lost != "" && (len(count.Lost) != 1 || count.Lost[0] != c.lost):
				t.Errorf("lost: %q, want only %q", count.Lost, c.lost)
			}
			if c.lost != "" {
				c.says = "lost: 1\n"
			}
			if !strings.Contains(count.String(), c.says) {
				t.Errorf("the count does not say %q:\n%s", c.says, count)
			}
		})
	}
}
