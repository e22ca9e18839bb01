package lastcall

import "hash/maphash"

// An index finds the elements of a slice by name. It is a hash table of their places, with open addressing: 5 to 11 bytes a name,
// where a map takes 40, and there may be millions.
type index struct {
	seed  maphash.Seed
	slots []int32 // the place in the slice, plus one; 0 is free
	names int
	name  func(at int) string // of the element at a place
}

// newIndex is an index with room for n names.
func newIndex(n int, name func(at int) string) index {
	return index{seed: maphash.MakeSeed(), slots: make([]int32, max(n+n/3, 8)), name: name}
}

// get is the place of a name.
func (x *index) get(name string) (at int, ok bool) {
	at = int(x.slots[x.find(name)])
	return at - 1, at != 0
}

// put gives a name to the element at a place, and takes it from another.
func (x *index) put(name string, at int) {
	i := x.find(name)
	if x.slots[i] == 0 {
		if x.names++; x.names > len(x.slots)*3/4 {
			x.grow()
			i = x.find(name)
		}
	}
	x.slots[i] = int32(at) + 1
}

// drop forgets a name.
func (x *index) drop(name string) {
	free := x.find(name)
	if x.slots[free] == 0 {
		return
	}
	x.names--
	for i := x.next(free); x.slots[i] != 0; i = x.next(i) { // what follows without a gap may have to move up
		home := x.home(x.name(int(x.slots[i] - 1)))
		if x.distance(home, i) >= x.distance(free, i) {
			x.slots[free], free = x.slots[i], i
		}
	}
	x.slots[free] = 0
}

// find is the slot of a name, or the free one where it would be.
func (x *index) find(name string) int {
	i := x.home(name)
	for x.slots[i] != 0 && x.name(int(x.slots[i]-1)) != name {
		i = x.next(i)
	}
	return i
}

// home is the first slot to look at.
func (x *index) home(name string) int {
	return int(maphash.String(x.seed, name) >> 33 * uint64(len(x.slots)) >> 31)
}

func (x *index) next(i int) int {
	if i++; i == len(x.slots) {
		return 0
	}
	return i
}

// distance is how many slots i comes after home.
func (x *index) distance(home, i int) int {
	if i < home {
		i += len(x.slots)
	}
	return i - home
}

func (x *index) grow() {
	old := x.slots
	x.slots = make([]int32, 2*len(old))
	for _, at := range old {
		if at != 0 {
			x.slots[x.find(x.name(int(at-1)))] = at
		}
	}
}
