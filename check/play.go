//go:build unix

package check

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/process"
)

// play plays one scenario and adds its result to the report.
func (r *runner) play(s Scenario) {
	does := s.Does
	if s.Name != "int" {
		does = strings.ReplaceAll(does, "SIGTERM", process.SignalName(r.Signal))
	}
	r.result = &Result{Scenario: s.Name, Means: s.Means, Does: does, Verdict: Pass}
	r.worst = nil
	// Each scenario has its own, so that it makes the same choices whatever is played besides.
	name := fnv.New64()
	name.Write([]byte(s.Name))
	r.rand = rand.New(rand.NewPCG(r.Seed, name.Sum64()))
	began := time.Now()
	r.say("%s", does)
	s.play(r)
	if r.ctx.Err() != nil {
		r.result = nil
		return
	}
	if r.result.Verdict == Skip && slices.Contains(r.Require, s.Name) {
		r.result.Verdict, r.result.Code, r.result.Summary = Fail, codeRequired, "required, and not looked at: "+r.result.Summary
	}
	if r.result.Verdict == Fail && r.Baseline.failed(s.Name, r.result.Code) {
		r.result.Verdict, r.result.Summary = Warn, "known: "+r.result.Summary
	}
	if slices.Contains(losesWork, r.result.Code) && r.hint != "" {
		r.result.Advice += " " + r.hint
	}
	r.result.Took = time.Since(began)
	if r.worst != nil {
		r.result.Timeline = r.worst.timeline(s.Name)
	}
	r.report.Results = append(r.report.Results, *r.result)
	if r.Observe != nil {
		r.Observe(Progress{Scenario: s.Name, Result: r.result, Report: r.report})
	}
	r.result = nil
}

// losesWork are the findings for which another signal may be the remedy.
var losesWork = []string{
	codeHangs, codeNoHandler, codeRuntimeHandler, codeBadStatus, codeBadStatusBusy, codeCutsRequests, codeFailsRequests, codeLosesLoad, codeCutsStreams,
}

// pass says what was seen, unless something worse has been said.
func (r *runner) pass(format string, args ...any) {
	r.verdict(Pass, "", fmt.Sprintf(format, args...), "")
}

// fail, warn and skip give a verdict. The first of the worst is the one that is said.
func (r *runner) fail(code, text, advice string) { r.verdict(Fail, code, text, advice) }
func (r *runner) warn(code, text, advice string) { r.verdict(Warn, code, text, advice) }
func (r *runner) skip(format string, args ...any) {
	r.verdict(Skip, "", fmt.Sprintf(format, args...), "")
}

func (r *runner) verdict(v Verdict, code, text, advice string) {
	if r.result.Summary != "" && rank(v) <= rank(r.result.Verdict) {
		return
	}
	r.result.Verdict, r.result.Code, r.result.Summary, r.result.Advice = v, code, text, advice
}

// fact adds to the evidence.
func (r *runner) fact(name string, value float64, unit, text string) {
	r.result.Evidence = append(r.result.Evidence, Fact{name, value, unit, text})
}

// stopTimes adds the spread of stops to the evidence.
func (r *runner) stopTimes(all []time.Duration) {
	s := spread(all)
	if len(all) == 1 {
		r.fact("stop took", ms(s.Max), "ms", "")
		return
	}
	r.fact("fastest stop", ms(s.Min), "ms", "")
	r.fact("median stop", ms(s.Median), "ms", "")
	r.fact("slowest stop", ms(s.Max), "ms", fmt.Sprintf("of %d", len(all)))
}

func ms(d time.Duration) float64 { return float64(d.Round(10*time.Microsecond)) / 1e6 }
