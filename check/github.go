package check

import (
	"fmt"
	"io"
	"strings"

	"github.com/lastcall-go/lastcall/internal/text"
)

// WriteGitHub writes the fails and warnings as workflow commands, which GitHub Actions shows as annotations of the run.
func WriteGitHub(w io.Writer, r *Report) error {
	var b strings.Builder
	for _, one := range r.Results {
		command := map[Verdict]string{Fail: "error", Warn: "warning"}[one.Verdict]
		if command == "" {
			continue
		}
		says := text.Outside(one.Summary)
		if one.Advice != "" {
			says += "\n" + text.Outside(one.Advice)
		}
		annotate(&b, command, strings.TrimSuffix("lastcall check: "+one.Scenario+" "+one.Code, " "), says)
	}
	if r.Error != "" {
		annotate(&b, "error", "lastcall check", text.Outside(r.Error))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// annotate writes a workflow command. What ends it, or a part of it, is escaped.
func annotate(b *strings.Builder, command, title, says string) {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	fmt.Fprintf(b, "::%s title=%s::%s\n", command, property.Replace(text.Outside(title)), data.Replace(says))
}
