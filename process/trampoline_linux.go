package process

// executable is this program, also when its file has been replaced.
func executable() (string, error) { return "/proc/self/exe", nil }
