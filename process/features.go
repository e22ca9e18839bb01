package process

// A Feature is something that this package can do on one system and not on another.
type Feature struct {
	Name string `json:"name"` // a short word
	Does string `json:"does"` // what it is for
	Has  bool   `json:"has"`  // this system has it, here and now
	Why  string `json:"why"`  // what it is done with, or why not
}

// feature is one that the system has if err is nil.
func feature(name, does, by string, err error) Feature {
	f := Feature{Name: name, Does: does, Has: err == nil, Why: by}
	if err != nil {
		f.Why = err.Error()
	}
	return f
}
