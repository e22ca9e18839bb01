package check

import (
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/lastcall-go/lastcall/internal/text"
)

// WriteSARIF writes the warnings and failures as SARIF 2.1.0 (OASIS), which code scanning of GitHub, GitLab and Azure DevOps reads. A rule is a
// [Finding]. A result has no line of source code: its location is the program of the command.
func WriteSARIF(w io.Writer, r *Report) error {
	type message struct {
		Text string `json:"text"`
	}
	type rule struct {
		ID      string  `json:"id"`
		Name    string  `json:"name"`
		Short   message `json:"shortDescription"`
		Full    message `json:"fullDescription"`
		Help    message `json:"help"`
		HelpURI string  `json:"helpUri"`
	}
	type location struct {
		Physical struct {
			Artifact struct {
				URI string `json:"uri"`
			} `json:"artifactLocation"`
		} `json:"physicalLocation"`
	}
	type result struct {
		Rule         string            `json:"ruleId"`
		Level        string            `json:"level"`
		Message      message           `json:"message"`
		Locations    []location        `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
	}
	rules, results := []rule{}, []result{}
	known := map[string]bool{}
	var where location
	where.Physical.Artifact.URI = uri(r.Command[0])
	for _, one := range r.Results {
		level := map[Verdict]string{Fail: "error", Warn: "warning"}[one.Verdict]
		if level == "" {
			continue
		}
		says := one.Scenario + ": " + one.Summary
		if one.Advice != "" {
			says += "\n" + one.Advice
		}
		results = append(results, result{text.Outside(one.Code), level, message{text.Lines(says)}, []location{where}, map[string]string{"lastcall/v1": text.Outside(one.Scenario + "/" + one.Code)}})
		for _, f := range findings {
			if f.Code == one.Code && !known[f.Code] {
				known[f.Code] = true
				rules = append(rules, rule{f.Code, f.Scenario, message{f.Title}, message{f.Means}, message{f.Author + "\n" + f.Operator}, findingURL(f.Code)})
			}
		}
	}
	type driver struct {
		Name  string `json:"name"`
		URI   string `json:"informationUri"`
		Rules []rule `json:"rules"`
	}
	type invocation struct {
		Successful bool   `json:"executionSuccessful"`
		Exit       string `json:"exitCodeDescription,omitempty"`
	}
	type run struct {
		Tool struct {
			Driver driver `json:"driver"`
		} `json:"tool"`
		Invocations []invocation `json:"invocations"`
		Results     []result     `json:"results"`
	}
	one := run{Invocations: []invocation{{r.Error == "", text.Outside(r.Error)}}, Results: results}
	one.Tool.Driver = driver{"lastcall check", "https://github.com/lastcall-go/lastcall", rules}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Schema  string `json:"$schema"`
		Version string `json:"version"`
		Runs    []run  `json:"runs"`
	}{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []run{one}})
}

// findingURL is where a finding is explained.
func findingURL(code string) string {
	return "https://github.com/lastcall-go/lastcall/blob/main/docs/findings.md#" + strings.ToLower(code)
}

// uri is a path as a URI reference, relative where it can be.
func uri(path string) string {
	return (&url.URL{Path: strings.TrimPrefix(filepath.ToSlash(text.Outside(path)), "./")}).String()
}
