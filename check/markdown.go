package check

import (
	"fmt"
	"io"
	"strings"

	"github.com/lastcall-go/lastcall/internal/text"
)

// WriteMarkdown writes the report as GitHub and GitLab render it in a comment: the verdict, the table, and, folded, what there is to do
// and the timeline of the worst life.
func WriteMarkdown(w io.Writer, r *Report) error {
	var b strings.Builder
	verdict := string(r.Verdict())
	if r.Error != "" {
		verdict = "not finished"
	}
	fmt.Fprintf(&b, "### lastcall check: %s\n\n", verdict)
	fmt.Fprintf(&b, "%s: %s.\n", code(strings.Join(r.Command, " ")), markdown(r.conclusion()))
	if unseen := r.Unseen(); unseen != "" {
		fmt.Fprintf(&b, "Not looked at: %s.\n", markdown(unseen))
	}
	if r.Ready != "" {
		fmt.Fprintf(&b, "Ready: %s. Requests: %s.\n", markdown(r.Ready), markdown(r.requests()))
	}
	fmt.Fprintf(&b, "Seed %d.\n", r.Seed)
	if len(r.Results) > 0 {
		b.WriteString("\n| verdict | scenario | what was found |\n|---|---|---|\n")
	}
	for _, one := range r.Results {
		v := string(one.Verdict)
		if one.Verdict == Fail || one.Verdict == Warn {
			v = "**" + v + "**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", v, code(one.Scenario), markdown(one.Summary))
	}
	for _, verdict := range []Verdict{Fail, Warn} {
		for _, one := range r.Results {
			if one.Verdict != verdict {
				continue
			}
			fmt.Fprintf(&b, "\n<details><summary>%s: %s %s</summary>\n\n", verdict, code(one.Scenario), markdown(one.Code))
			if one.Means != "" {
				fmt.Fprintf(&b, "Why it matters: %s.\n", markdown(one.Means))
			}
			if one.Does != "" {
				fmt.Fprintf(&b, "What was done: %s.\n", markdown(one.Does))
			}
			b.WriteByte('\n')
			for _, f := range one.Evidence {
				fmt.Fprintf(&b, "- %s\n", markdown(f.String()))
			}
			if one.Advice != "" {
				fmt.Fprintf(&b, "\nWhat to do: %s\n", markdown(one.Advice))
			}
			b.WriteString("\n</details>\n")
		}
	}
	if r.Output != "" {
		fmt.Fprintf(&b, "\nIts output:\n\n<pre>\n%s</pre>\n", html(outputLines("", r.Output)))
	}
	if worst := r.Worst(); worst != nil {
		fmt.Fprintf(&b, "\n<details><summary>timeline: %s</summary>\n\n<pre>\n%s</pre>\n\n</details>\n",
			code(worst.Scenario), html(Text{}.timeline(worst)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// markdown is text in one line that means nothing to Markdown, and calls nobody.
func markdown(s string) string {
	var b strings.Builder
	for _, r := range text.Outside(s) {
		switch {
		case strings.ContainsRune("\\`*_[]|~#", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteString(html(string(r)))
		}
	}
	return b.String()
}

// code is text as it is, in one line.
func code(s string) string {
	return "<code>" + strings.NewReplacer("|", "&#124;", "`", "&#96;", "*", "&#42;", "_", "&#95;", "[", "&#91;", "~", "&#126;", `\`, "&#92;").
		Replace(html(text.Outside(s))) + "</code>"
}

// html is text as HTML has it. What begins with an at sign would call somebody.
func html(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "&#64;").Replace(s)
}
