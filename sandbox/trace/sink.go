package trace

// Sink is where Events go: Text for people, JSON for programs, Tally for the
// summary at the end. A Sink gets its Events one at a time, in the order in
// which they happened, and need not be safe for concurrent use.
type Sink interface {
	Emit(Event)
}

// Tee hands every Event to each of the sinks, in the order given.
func Tee(sinks ...Sink) Sink { return tee(sinks) }

type tee []Sink

func (t tee) Emit(e Event) {
	for _, s := range t {
		s.Emit(e)
	}
}
