module github.com/lastcall-go/lastcall/bench/peers/tomb

go 1.26.0

require (
	github.com/lastcall-go/lastcall/bench v0.0.0
	gopkg.in/tomb.v2 v2.0.0-20161208151619-d5d1b5820637
)

require golang.org/x/net v0.62.0 // indirect

replace (
	github.com/lastcall-go/lastcall => ../../..
	github.com/lastcall-go/lastcall/bench => ../..
)
