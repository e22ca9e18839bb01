module github.com/lastcall-go/lastcall/bench/peers/suture

go 1.26.0

require (
	github.com/lastcall-go/lastcall/bench v0.0.0
	github.com/thejerf/suture/v4 v4.0.6
)

replace (
	github.com/lastcall-go/lastcall => ../../..
	github.com/lastcall-go/lastcall/bench => ../..
)
