//go:build unix && !linux

package serve

// fionread is FIONREAD: _IOR('f', 127, int) on all of them, which x/sys does not define.
const fionread = 0x4004667f
