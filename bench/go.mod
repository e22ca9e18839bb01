module github.com/lastcall-go/lastcall/bench

go 1.26.0

require github.com/lastcall-go/lastcall v0.0.0

require golang.org/x/sys v0.50.0

require golang.org/x/net v0.62.0 // indirect

replace github.com/lastcall-go/lastcall => ../
