package config

import (
	"strings"
	"testing"
)

// others are what other readers of such files have: foreman 0.90, honcho 2, dotenv 17.4 (Node.js), python-dotenv 1.2, godotenv (May
// 2026), the one of Docker Compose (compose-go, July 2026) and dotenv 3.2 (Ruby), in this order.
type others [7]string

const (
	absent  = "\x00unset"   // no such variable
	refused = "\x00refused" // an error for the whole file
)

// otherReaders has what the tests of seven readers try, and what each of them, run with SET=env in its environment, makes of it: the
// text, the name of a variable, its values, and ours.
var otherReaders = []struct {
	text, name string
	others     others
	ours       string
}{
	{`A=b`, `A`, others{`b`, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{`A= b`, `A`, others{` b`, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{`A =b`, `A`, others{absent, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{`A = b`, `A`, others{absent, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{`  A=b`, `A`, others{absent, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{"\tA=b", `A`, others{absent, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{`A=b  `, `A`, others{`b  `, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{`A=`, `A`, others{``, absent, ``, ``, ``, ``, ``}, ``},
	{`A= `, `A`, others{` `, absent, ``, ``, ``, ``, ``}, ``},
	{"A=\nB=c", `A`, others{``, absent, ``, ``, ``, ``, ``}, ``},
	{"A=\nB=c", `B`, others{`c`, `c`, `c`, `c`, `c`, `c`, `c`}, `c`},
	{`A=a b c`, `A`, others{`a b c`, `abc`, `a b c`, `a b c`, `a b c`, `a b c`, `a b c`}, `a b c`},
	{`A=a  b`, `A`, others{`a  b`, `ab`, `a  b`, `a  b`, `a  b`, `a  b`, `a  b`}, `a  b`},
	{"A=a\tb", `A`, others{"a\tb", `ab`, "a\tb", "a\tb", "a\tb", "a\tb", "a\tb"}, "a\tb"},
	{"A=b\u00a0 c", `A`, others{"b\u00a0 c", "b\u00a0c", "b\u00a0 c", "b\u00a0 c", "b\u00a0 c", "b\u00a0 c", "b\u00a0 c"}, "b\u00a0 c"},
	{"A=\u00e0", `A`, others{"\u00e0", "\u00e0", "\u00e0", "\u00e0", "\u00e0", "\u00e0", "\u00e0"}, "\u00e0"},
	{"A=\"\u00e0\"", `A`, others{"\u00e0", "\u00e0", "\u00e0", "\u00e0", "\u00e0", "\u00e0", "\u00e0"}, "\u00e0"},
	{`A=postgres://u:p@h:5432/d?a=b&c=d`, `A`, others{`postgres://u:p@h:5432/d?a=b&c=d`, `postgres://u:p@h:5432/d?a=b&c=d`, `postgres://u:p@h:5432/d?a=b&c=d`, `postgres://u:p@h:5432/d?a=b&c=d`, `postgres://u:p@h:5432/d?a=b&c=d`, `postgres://u:p@h:5432/d?a=b&c=d`, `postgres://u:p@h:5432/d?a=b&c=d`}, `postgres://u:p@h:5432/d?a=b&c=d`},
	{`A=b==`, `A`, others{`b==`, `b==`, `b==`, `b==`, `b==`, `b==`, `b==`}, `b==`},
	{`A=1:B`, `A`, others{`1:B`, `1:B`, `1:B`, `1:B`, `1:B`, `1:B`, `1:B`}, `1:B`},
	{`A={"foo": "bar"}`, `A`, others{`{"foo": "bar"}`, `{foo:bar}`, `{"foo": "bar"}`, `{"foo": "bar"}`, `{"foo": "bar"}`, `{"foo": "bar"}`, `{"foo": "bar"}`}, `{"foo": "bar"}`},
	{`A='{"foo": "bar"}'`, `A`, others{`{"foo": "bar"}`, `{"foo": "bar"}`, `{"foo": "bar"}`, `{"foo": "bar"}`, `{"foo": "bar"}`, `{"foo": "bar"}`, `{"foo": "bar"}`}, `{"foo": "bar"}`},
	{`A=it's`, `A`, others{`it's`, refused, `it's`, `it's`, `it's`, `it's`, `it's`}, `it's`},
	{`A=a"b"c`, `A`, others{`a"b"c`, `abc`, `a"b"c`, `a"b"c`, `a"b"c`, `a"b"c`, `a"b"c`}, `a"b"c`},
	{`A="a"b`, `A`, others{`"a"b`, `ab`, `"a"b`, absent, `a`, `a`, `"a"b`}, `"a"b`},
	{`A='a'b`, `A`, others{`'a'b`, `ab`, `'a'b`, absent, `a`, `a`, `'a'b`}, `'a'b`},
	{`A=user@example.tld`, `A`, others{`user@example.tld`, `user@example.tld`, `user@example.tld`, `user@example.tld`, `user@example.tld`, `user@example.tld`, `user@example.tld`}, `user@example.tld`},
	{`A.B=c`, `A.B`, others{absent, absent, `c`, `c`, `c`, `c`, `c`}, `c`},
	{`A-B=c`, `A-B`, others{absent, absent, `c`, `c`, `c`, `c`, absent}, `c`},
	{`_A=b`, `_A`, others{`b`, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{`1A=b`, `1A`, others{`b`, absent, `b`, `b`, `b`, absent, `b`}, `b`},
	{`456=b`, `456`, others{`b`, absent, `b`, `b`, `b`, absent, `b`}, `b`},
	{`a[1]=c`, `a[1]`, others{absent, absent, absent, `c`, refused, `c`, absent}, absent},
	{`A+B=c`, `A+B`, others{absent, absent, absent, `c`, refused, refused, absent}, absent},
	{`'A'=b`, `A`, others{absent, `b`, absent, `b`, refused, refused, absent}, absent},
	{`export=b`, `export`, others{`b`, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{`exportA=b`, `exportA`, others{`b`, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{`export_A=b`, `export_A`, others{`b`, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{`export.A= b`, `export.A`, others{absent, absent, `b`, `b`, `b`, `b`, `b`}, `b`},
	{`="value"`, ``, others{absent, absent, absent, absent, `value`, `value`, absent}, absent},
	{"\u00e9=b", "\u00e9", others{absent, absent, absent, `b`, refused, `b`, absent}, absent},
	{`export A=b`, `A`, others{absent, absent, `b`, `b`, `b`, `b`, `b`}, `b`},
	{`export   A=b`, `A`, others{absent, absent, `b`, `b`, `b`, `b`, `b`}, `b`},
	{"export\tA=b", `A`, others{absent, absent, `b`, `b`, `b`, `b`, `b`}, `b`},
	{`  export A=b`, `A`, others{absent, absent, `b`, `b`, `b`, `b`, `b`}, `b`},
	{"\texport A=b", `A`, others{absent, absent, `b`, `b`, `b`, `b`, `b`}, `b`},
	{`export A='\n'`, `A`, others{absent, absent, `\n`, `\n`, `\n`, `\n`, `\n`}, `\n`},
	{"A=b\nexport A", `A`, others{`b`, `b`, `b`, absent, `b`, `b`, `b`}, `b`},
	{"export A\nB=c", `B`, others{`c`, `c`, `c`, `c`, refused, `c`, refused}, `c`},
	{"export A B=c\nD=e", `D`, others{`e`, `e`, `e`, `e`, `e`, refused, `e`}, `e`},
	{"A=b\r\nB=c", `A`, others{`b`, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{"A=b\r\nB=c", `B`, others{`c`, `c`, `c`, `c`, `c`, `c`, `c`}, `c`},
	{"A=b\rB=c", `A`, others{"b\rB=c", `b`, `b`, `b`, `b`, "b\rB=c", `b`}, `b`},
	{"A=b\rB=c", `B`, others{absent, `c`, `c`, `c`, `c`, absent, `c`}, `c`},
	{"\ufeffA=b", `A`, others{absent, absent, `b`, `b`, refused, `b`, `b`}, `b`},
	{"\n \t \nA=b\n \nB=c", `B`, others{`c`, `c`, `c`, `c`, `c`, `c`, `c`}, `c`},
	{"A=b\nA=c", `A`, others{`c`, `c`, `c`, `c`, `c`, `c`, `c`}, `c`},
	{"A\nB=c", `B`, others{`c`, `c`, `c`, `c`, refused, `c`, `c`}, `c`},
	{"A\nB=c", `A`, others{absent, absent, absent, absent, refused, absent, ``}, absent},
	{"lol$wut\nB=c", `B`, others{`c`, `c`, `c`, `c`, refused, refused, `c`}, `c`},
	{"this is junk\nB=c", `B`, others{`c`, `c`, `c`, `c`, refused, refused, `c`}, `c`},
	{`A: b`, `A`, others{absent, absent, `b`, absent, `b`, `b`, `b`}, `b`},
	{`A: b c`, `A`, others{absent, absent, `b c`, absent, `b c`, `b c`, `b c`}, `b c`},
	{`A: B=c`, `A`, others{absent, absent, `B=c`, absent, `B=c`, `B=c`, `B=c`}, `B=c`},
	{`A:b`, `A`, others{absent, absent, absent, absent, `b`, `b`, absent}, absent},
	{`A :b`, `A`, others{absent, absent, absent, absent, `b`, `b`, absent}, absent},
	{"SET\nB=c", `SET`, others{absent, absent, absent, absent, refused, `env`, ``}, absent},
	{`# A=b`, `A`, others{absent, absent, absent, absent, absent, absent, absent}, absent},
	{"  # c\nA=b", `A`, others{`b`, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{`A=b # c`, `A`, others{`b # c`, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{`A=b #c`, `A`, others{`b #c`, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{"A=b\t# c", `A`, others{"b\t# c", `b`, `b`, `b`, `b`, "b\t# c", `b`}, `b`},
	{`A=b #`, `A`, others{`b #`, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{`A=b#c`, `A`, others{`b#c`, `b`, `b`, `b#c`, `b#c`, `b#c`, `b`}, `b#c`},
	{`A=#ff0000`, `A`, others{`#ff0000`, absent, ``, `#ff0000`, refused, `#ff0000`, ``}, `#ff0000`},
	{`A=# c`, `A`, others{`# c`, absent, ``, `# c`, refused, `# c`, ``}, `# c`},
	{`A= # c`, `A`, others{` # c`, absent, ``, `# c`, refused, `# c`, ``}, ``},
	{`A= #ff0000`, `A`, others{` #ff0000`, absent, ``, `#ff0000`, refused, `#ff0000`, ``}, ``},
	{`A='b#c' # d`, `A`, others{`'b#c' # d`, `b#c`, `b#c`, `b#c`, `b#c`, `b#c`, `b#c`}, `b#c`},
	{`A="b#c" # d`, `A`, others{`"b#c" # d`, `b#c`, `b#c`, `b#c`, `b#c`, `b#c`, `b#c`}, `b#c`},
	{`A="b#c"#d`, `A`, others{`"b#c"#d`, `b#c`, `b#c`, `b#c`, `b#c`, `b#c`, `b#c`}, `b#c`},
	{`A='b' # it's`, `A`, others{`'b' # it's`, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{`A="b" # say "c"`, `A`, others{`b" # say "c`, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{`A=b # c #d`, `A`, others{`b # c #d`, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{`A=b '#' c`, `A`, others{`b '#' c`, `b#c`, `b '`, `b '#' c`, `b '#' c`, `b '#' c`, `b '`}, `b '#' c`},
	{`A=''`, `A`, others{``, ``, ``, ``, ``, ``, ``}, ``},
	{`A=""`, `A`, others{``, ``, ``, ``, ``, ``, ``}, ``},
	{`A='b c '`, `A`, others{`b c `, `b c `, `b c `, `b c `, `b c `, `b c `, `b c `}, `b c `},
	{`A="b c "`, `A`, others{`b c `, `b c `, `b c `, `b c `, `b c `, `b c `, `b c `}, `b c `},
	{`A= 'b' `, `A`, others{` 'b' `, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{`A='b'  `, `A`, others{`'b'  `, `b`, `b`, `b`, `b`, `b`, `b`}, `b`},
	{`A="it's"`, `A`, others{`it's`, `it's`, `it's`, `it's`, `it's`, `it's`, `it's`}, `it's`},
	{`A='say "b"'`, `A`, others{`say "b"`, `say "b"`, `say "b"`, `say "b"`, `say "b"`, `say "b"`, `say "b"`}, `say "b"`},
	{"A=`b`", `A`, others{"`b`", "`b`", `b`, "`b`", "`b`", "`b`", "`b`"}, "`b`"},
	{`A='it\'s'`, `A`, others{`it\'s`, refused, `it\'s`, `it's`, `it\'s`, `it's`, `it\'s`}, `it\'s`},
	{`A="say \"b\""`, `A`, others{`say "b"`, `say "b"`, `say \"b\"`, `say "b"`, `say "b\`, `say "b"`, `say "b"`}, `say "b"`},
	{"A=\"b\nc\"", `A`, others{`"b`, refused, "b\nc", "b\nc", "b\nc", "b\nc", "b\nc"}, "b\nc"},
	{"A='b\nc'", `A`, others{`'b`, refused, "b\nc", "b\nc", "b\nc", "b\nc", "b\nc"}, "b\nc"},
	{"A=\"a\n\nb\n\nc\"", `A`, others{`"a`, refused, "a\n\nb\n\nc", "a\n\nb\n\nc", "a\n\nb\n\nc", "a\n\nb\n\nc", "a\n\nb\n\nc"}, "a\n\nb\n\nc"},
	{"A='b\nc\nd'\nE=f", `E`, others{`f`, refused, `f`, `f`, `f`, `f`, `f`}, `f`},
	{"A=\"b\nc\"\nE=f", `E`, others{`f`, refused, `f`, `f`, `f`, `f`, `f`}, `f`},
	{"A='one\nis \\'q\\'\nmore'", `A`, others{`'one`, refused, "one\nis \\'q\\'\nmore", "one\nis 'q'\nmore", "one\nis \\'q\\'\nmore", "one\nis 'q'\nmore", "one\nis \\'q\\'\nmore"}, "one\nis \\'q\\'\nmore"},
	{"A=\"b\nE=f", `E`, others{`f`, refused, `f`, `f`, refused, refused, `f`}, `f`},
	{"A='b\nE=f", `E`, others{`f`, refused, `f`, `f`, refused, refused, `f`}, `f`},
	{`A="b`, `A`, others{`"b`, refused, `"b`, absent, refused, refused, `"b`}, `"b`},
	{`A='b`, `A`, others{`'b`, refused, `'b`, absent, refused, refused, `'b`}, `'b`},
	{`A='`, `A`, others{`'`, refused, `'`, absent, refused, refused, `'`}, `'`},
	{`A="b" c`, `A`, others{`"b" c`, `bc`, `"b" c`, absent, `b`, `b`, `"b" c`}, `"b" c`},
	{`A="b\nc"`, `A`, others{"b\nc", "b\nc", "b\nc", "b\nc", "b\nc", "b\nc", `b\nc`}, "b\nc"},
	{`A='b\nc'`, `A`, others{`b\nc`, "b\nc", `b\nc`, `b\nc`, `b\nc`, `b\nc`, `b\nc`}, `b\nc`},
	{`A=b\nc`, `A`, others{`b\nc`, `bnc`, `b\nc`, `b\nc`, `b\nc`, `b\nc`, `bnc`}, `b\nc`},
	{`A="b\tc"`, `A`, others{`btc`, "b\tc", `b\tc`, "b\tc", `btc`, "b\tc", `btc`}, "b\tc"},
	{`A="b\rc"`, `A`, others{`brc`, `b\rc`, "b\rc", "b\rc", "b\rc", "b\rc", `b\rc`}, "b\rc"},
	{`A="b\\c"`, `A`, others{`b\c`, `b\c`, `b\\c`, `b\c`, `b\c`, `b\c`, `b\c`}, `b\c`},
	{`A="b\\nc"`, `A`, others{"b\\\nc", "b\nc", "b\\\nc", `b\nc`, `b\nc`, `b\nc`, `b\nc`}, `b\nc`},
	{`A="b\\"`, `A`, others{`b\`, `b\`, `b\\`, `b\`, `b\`, `b\`, `b\`}, `b\`},
	{`A="b\$c"`, `A`, others{`b$c`, `b\$c`, `b\$c`, `b\$c`, `b$c`, `b$c`, `b$c`}, `b$c`},
	{`A="b\xc"`, `A`, others{`bxc`, `b\xc`, `b\xc`, `b\xc`, `bxc`, `b\xc`, `bxc`}, `b\xc`},
	{`A="b\ c"`, `A`, others{`b c`, `b\ c`, `b\ c`, `b\ c`, `b c`, `b\ c`, `b c`}, `b\ c`},
	{"A=\"b\\`c\"", `A`, others{"b`c", "b\\`c", "b\\`c", "b\\`c", "b`c", "b\\`c", "b`c"}, "b\\`c"},
	{`A=b\ c`, `A`, others{`b\ c`, `b c`, `b\ c`, `b\ c`, `b\ c`, `b\ c`, `b c`}, `b\ c`},
	{`A=C:\dir\new`, `A`, others{`C:\dir\new`, `C:dirnew`, `C:\dir\new`, `C:\dir\new`, `C:\dir\new`, `C:\dir\new`, `C:dirnew`}, `C:\dir\new`},
	{`A='C:\dir\new'`, `A`, others{`C:\dir\new`, "C:\\dir\new", `C:\dir\new`, `C:\dir\new`, `C:\dir\new`, `C:\dir\new`, `C:\dir\new`}, `C:\dir\new`},
	{"A=\"b\\\nc\"", `A`, others{`"b\`, refused, "b\\\nc", "b\\\nc", "b\nc", "b\\\nc", "b\nc"}, "b\\\nc"},
	{"A=b\\\nB=c", `B`, others{`c`, refused, `c`, `c`, `c`, `c`, `c`}, `c`},
	{`A=b\$c`, `A`, others{`b\$c`, `b$c`, `b\$c`, `b\$c`, `b$c`, `b\`, `b$c`}, `b\$c`},
	{`A=b\"c`, `A`, others{`b\"c`, `b"c`, `b\"c`, `b\"c`, `b\"c`, `b\"c`, `b"c`}, `b\"c`},
	{`A="b\/c"`, `A`, others{`b/c`, `b\/c`, `b\/c`, `b\/c`, `b/c`, `b\/c`, `b/c`}, `b\/c`},
	{`A='a\\b'`, `A`, others{`a\\b`, `a\\b`, `a\\b`, `a\b`, `a\\b`, `a\\b`, `a\\b`}, `a\\b`},
	{`A=$SET`, `A`, others{`$SET`, `$SET`, `$SET`, `$SET`, `env`, `env`, `env`}, `$SET`},
	{`A=${SET}`, `A`, others{`${SET}`, `${SET}`, `${SET}`, `env`, `env`, `env`, `env`}, `env`},
	{`A="$SET"`, `A`, others{`$SET`, `$SET`, `$SET`, `$SET`, `env`, `env`, `env`}, `$SET`},
	{`A="x ${SET} y"`, `A`, others{`x ${SET} y`, `x ${SET} y`, `x ${SET} y`, `x env y`, `x env y`, `x env y`, `x env y`}, `x env y`},
	{`A='$SET'`, `A`, others{`$SET`, `$SET`, `$SET`, `$SET`, `$SET`, `$SET`, `$SET`}, `$SET`},
	{`A='${SET}'`, `A`, others{`${SET}`, `${SET}`, `${SET}`, `env`, `${SET}`, `${SET}`, `${SET}`}, `${SET}`},
	{"B=x\nA=$B", `A`, others{`$B`, `$B`, `$B`, `$B`, `x`, `x`, `x`}, `$B`},
	{"B=x\nA=${B}y", `A`, others{`${B}y`, `${B}y`, `${B}y`, `xy`, `xy`, `xy`, `xy`}, `xy`},
	{"B=x\nA=\"q ${B}\"", `A`, others{`q ${B}`, `q ${B}`, `q ${B}`, `q x`, `q x`, `q x`, `q x`}, `q x`},
	{"B=x\nA=\"q $B\"", `A`, others{`q $B`, `q $B`, `q $B`, `q $B`, `q x`, `q x`, `q x`}, `q $B`},
	{`A=${UNSET}`, `A`, others{`${UNSET}`, `${UNSET}`, `${UNSET}`, ``, ``, ``, ``}, ``},
	{`A=$UNSET`, `A`, others{`$UNSET`, `$UNSET`, `$UNSET`, `$UNSET`, ``, ``, ``}, `$UNSET`},
	{`A="\${SET}"`, `A`, others{`${SET}`, `\${SET}`, `\${SET}`, `\env`, `${SET}`, `${SET}`, `${SET}`}, `${SET}`},
	{`A=\${SET}`, `A`, others{`\${SET}`, `${SET}`, `\${SET}`, `\env`, `${SET}`, `\env`, `${SET}`}, `${SET}`},
	{`A=${UNSET:-d}`, `A`, others{`${UNSET:-d}`, `${UNSET:-d}`, `${UNSET:-d}`, `d`, `:-d}`, `d`, `:-d}`}, `d`},
	{`A=${SET:-d}`, `A`, others{`${SET:-d}`, `${SET:-d}`, `${SET:-d}`, `env`, `env:-d}`, `env`, `env:-d}`}, `env`},
	{`A=${UNSET-d}`, `A`, others{`${UNSET-d}`, `${UNSET-d}`, `${UNSET-d}`, ``, `-d}`, `d`, `-d}`}, `d`},
	{`A=a$`, `A`, others{`a$`, `a$`, `a$`, `a$`, `a$`, `a$`, `a$`}, `a$`},
	{`A=a$ b`, `A`, others{`a$ b`, `a$b`, `a$ b`, `a$ b`, `a$ b`, `a$ b`, `a$ b`}, `a$ b`},
	{`A=p$$w`, `A`, others{`p$$w`, `p$$w`, `p$$w`, `p$$w`, `p$$w`, `p$w`, `p$`}, `p$$w`},
	{`A=$1`, `A`, others{`$1`, `$1`, `$1`, `$1`, ``, `$1`, ``}, `$1`},
	{`A=pa$SET!`, `A`, others{`pa$SET!`, `pa$SET!`, `pa$SET!`, `pa$SET!`, `paenv!`, `paenv!`, `paenv!`}, `pa$SET!`},
	{"SET=own\nA=${SET}", `A`, others{`${SET}`, `${SET}`, `${SET}`, `own`, `own`, `env`, `own`}, `own`},
	{`A=$(echo x)`, `A`, others{`$(echo x)`, `$(echox)`, `$(echo x)`, `$(echo x)`, `$(echo x)`, `$(echo x)`, `x`}, `$(echo x)`},
	{`A='$(echo x)'`, `A`, others{`$(echo x)`, `$(echo x)`, `$(echo x)`, `$(echo x)`, `$(echo x)`, `$(echo x)`, `$(echo x)`}, `$(echo x)`},
}

// Where most of the others agree, we agree with them; and we read what the seven tools' own tests try as they do more often than any
// one of them.
func TestDotenvReadsAsOthersDo(t *testing.T) {
	best, right, decided := [len(others{})]int{}, 0, 0
	for _, c := range otherReaders {
		r := &reader{files: map[string]string{"/d/e.env": c.text}, variables: lookup([]string{"SET=env"})}
		file := &source{path: "/d/e.env", shown: "e.env", dir: "/d"}
		got := absent
		for _, v := range r.readEnv(file, position{file: file}, false, true) {
			if name, value, _ := strings.Cut(v, "="); name == c.name {
				got = value
			}
		}
		if got != c.ours || len(r.problems) > 0 {
			t.Errorf("%q: %s is %q, want %q %v", c.text, c.name, got, c.ours, r.problems)
		}
		if majority, ok := c.others.majority(); ok {
			decided++
			if got == majority {
				right++
			} else {
				t.Errorf("%q: %s is %q, and for most others %q", c.text, c.name, got, majority)
			}
			for i, value := range c.others {
				if value == majority {
					best[i]++
				}
			}
		}
	}
	for i, n := range best {
		if right < n {
			t.Errorf("of %d cases on which most agree %d are right, and %d in reader %d", decided, right, n, i)
		}
	}
}

// majority is the value that at least four of the seven have.
func (o others) majority() (string, bool) {
	votes := map[string]int{}
	for _, value := range o {
		if votes[value]++; votes[value] > len(o)/2 {
			return value, true
		}
	}
	return "", false
}
