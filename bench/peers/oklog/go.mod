module github.com/lastcall-go/lastcall/bench/peers/oklog

go 1.26.0

require (
	github.com/lastcall-go/lastcall/bench v0.0.0
	github.com/oklog/run v1.2.0
)

replace (
	github.com/lastcall-go/lastcall => ../../..
	github.com/lastcall-go/lastcall/bench => ../..
)
