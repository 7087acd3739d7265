package vm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"cutaway/sandbox/sys"
	"cutaway/vm/wire"
)

// A machine that is up has a process that keeps it: QEMU's parent, and the one
// at the other end of the guest's control port. Others speak to it through a
// socket, in the guest's own protocol; it gives their sessions numbers that are
// unique, and passes frames on. When it dies, the machine does.

// Info is what a keeper tells of its machine.
type Info struct {
	Name    string    `json:"name"`
	PID     int       `json:"pid"` // of the keeper
	QEMU    int       `json:"qemu"`
	Kernel  string    `json:"kernel"`
	Accel   string    `json:"accel"`
	Memory  int       `json:"memory"` // MiB
	Build   string    `json:"build"`  // of PID 1; see Build
	Started time.Time `json:"started"`
}

// keeper serves one machine.
type keeper struct {
	machine *Machine
	down    func()

	mu       sync.Mutex
	sessions map[uint32]held // by the guest's number
	clients  map[*client]bool
	last     uint32
}

// held is a session of a client's.
type held struct {
	client *client
	id     uint32 // the client's number
}

// client is one connection to the socket.
type client struct {
	conn *wire.Conn
	mu   sync.Mutex
	more *sync.Cond
	out  []wire.Frame // at most what the windows of its sessions allow
	gone bool
}

// Keep boots a machine and serves it below the directory dir until ctx ends,
// somebody says down, or the machine is lost. ready is called once, when others
// can use it.
func Keep(ctx context.Context, dir, name string, c Config, ready func(Info) error) error {
	place := filepath.Join(dir, name)
	lock, err := claim(place)
	if err != nil {
		return err
	}
	if lock == nil {
		return &UpError{name}
	}
	defer lock.Close()
	defer os.Remove(dir)      // if this was the last one
	defer os.RemoveAll(place) // while the lock is held
	m, err := Boot(ctx, c)
	if err != nil {
		return err
	}
	defer m.Stop()
	socket := filepath.Join(place, "socket")
	// One that a killed keeper has left is nobody's.
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	defer listener.Close()
	info := Info{Name: name, PID: os.Getpid(), QEMU: m.qemu.process.Pid, Kernel: m.Kernel.Version, Accel: m.Accel, Memory: memoryOf(c), Build: Build(c.Init), Started: time.Now()}
	if err := writeInfo(place, info); err != nil {
		return err
	}
	if err := ready(info); err != nil {
		return err
	}
	return serve(ctx, m, listener)
}

// Build tells one build of a program from another; "" is this program.
func Build(program string) string {
	if program == "" {
		program, _ = sys.Self() // unknown, it is like no other
	}
	st, err := os.Stat(program)
	if err != nil {
		return ""
	}
	return fmt.Sprint(st.Size(), " ", st.ModTime().UnixNano())
}

// claim makes the machine's directory and takes the lock in it, which ends with
// this process; nil says that somebody else has it. Whoever asks whether the
// machine is up takes it for a moment, and whoever finds the directory abandoned
// removes it: hence more than one attempt.
func claim(place string) (*os.File, error) {
	file := filepath.Join(place, "lock")
	for range 20 {
		if err := os.MkdirAll(place, 0o700); err != nil {
			return nil, err
		}
		if st, err := os.Stat(filepath.Dir(place)); err != nil || st.Sys().(*syscall.Stat_t).Uid != uint32(os.Geteuid()) {
			return nil, fmt.Errorf("use %s: somebody else has made it: %w", filepath.Dir(place), errors.Join(err, os.ErrPermission))
		}
		lock, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if sys.TryLock(lock) == nil && isFile(lock, file) {
			return lock, nil
		}
		lock.Close()
		time.Sleep(10 * time.Millisecond)
	}
	return nil, nil
}

// isFile reports whether f is still the file of that name.
func isFile(f *os.File, name string) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(name)
	return err == nil && os.SameFile(opened, named)
}

// UpError says that a machine of that name is up already.
type UpError struct{ Name string }

func (e *UpError) Error() string { return "start the microVM " + e.Name + ": it is up already" }

// Hint says what to do with it.
func (e *UpError) Hint() string {
	return "cutaway vm shell opens a shell in it, cutaway vm down ends it"
}

func writeInfo(place string, info Info) error {
	b, err := json.Marshal(info)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(place, "info.json"), b, 0o600)
}

// serve passes frames between the guest and whoever connects.
func serve(ctx context.Context, m *Machine, listener net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	k := &keeper{machine: m, down: cancel, sessions: map[uint32]held{}, clients: map[*client]bool{}}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed: the machine goes down
			}
			go k.client(conn)
		}
	}()
	defer k.hangUp()
	lost := make(chan error, 1)
	go func() { lost <- k.guest() }()
	select {
	case <-ctx.Done():
		return nil
	case err := <-lost:
		return err
	}
}

// hangUp closes all connections: their machine is going down.
func (k *keeper) hangUp() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for c := range k.clients {
		c.conn.Close()
	}
}

// guest passes on what the guest says, and explains when it has fallen silent.
func (k *keeper) guest() error {
	for {
		f, err := k.machine.conn.Receive()
		if err != nil {
			return k.mourn()
		}
		k.mu.Lock()
		h, known := k.sessions[f.Session]
		if f.Kind == wire.Exit {
			delete(k.sessions, f.Session)
		}
		k.mu.Unlock()
		if known {
			f.Session = h.id
			h.client.send(f)
		}
	}
}

// mourn tells all clients that the machine is lost.
func (k *keeper) mourn() error {
	why := k.machine.lost("keep the microVM")
	body, err := json.Marshal(wire.Loss{Fact: why.Fact, Console: why.Console})
	if err != nil {
		return errors.Join(why, err)
	}
	k.mu.Lock()
	for c := range k.clients {
		c.send(wire.Frame{Kind: wire.Lost, Body: body})
	}
	k.mu.Unlock()
	time.Sleep(100 * time.Millisecond) // the frames are on their way
	return why
}

// client serves one connection until it ends.
func (k *keeper) client(conn net.Conn) {
	c := &client{conn: wire.NewConn(conn)}
	c.more = sync.NewCond(&c.mu)
	k.mu.Lock()
	k.clients[c] = true
	k.mu.Unlock()
	go c.deliver()
	if body, err := json.Marshal(k.machine.Greeting); err == nil {
		c.send(wire.Frame{Kind: wire.Hello, Body: body})
	}
	ids := map[uint32]uint32{} // the guest's number of each of its sessions
	for {
		f, err := c.conn.Receive()
		if err != nil {
			break
		}
		if f.Kind == wire.Down {
			k.down()
			continue
		}
		f.Session = k.session(c, ids, f)
		// If it cannot be sent, the guest is gone, which its reader notices.
		_ = k.machine.conn.Send(f)
	}
	k.leave(c, ids)
}

// session gives the guest's number of a client's session; a Start begins one.
func (k *keeper) session(c *client, ids map[uint32]uint32, f wire.Frame) uint32 {
	if f.Kind != wire.Start {
		return ids[f.Session]
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last++
	ids[f.Session] = k.last
	k.sessions[k.last] = held{c, f.Session}
	return k.last
}

// leave ends what a client that has gone had going on.
func (k *keeper) leave(c *client, ids map[uint32]uint32) {
	k.mu.Lock()
	delete(k.clients, c)
	var running []uint32
	for _, id := range ids {
		if _, runs := k.sessions[id]; runs {
			running = append(running, id)
			delete(k.sessions, id)
		}
	}
	k.mu.Unlock()
	for _, id := range running {
		_ = k.machine.conn.Send(wire.Frame{Session: id, Kind: wire.Abort}) // as in client
	}
	c.mu.Lock()
	c.gone = true
	c.mu.Unlock()
	c.more.Signal()
	c.conn.Close()
}

// send queues a frame: a client that does not read must not hold up the others.
func (c *client) send(f wire.Frame) {
	c.mu.Lock()
	c.out = append(c.out, f)
	c.mu.Unlock()
	c.more.Signal()
}

// deliver sends what is queued.
func (c *client) deliver() {
	for {
		c.mu.Lock()
		for len(c.out) == 0 && !c.gone {
			c.more.Wait()
		}
		if c.gone {
			c.mu.Unlock()
			return
		}
		f := c.out[0]
		c.out = c.out[1:]
		c.mu.Unlock()
		if err := c.conn.Send(f); err != nil {
			c.conn.Close() // its reader does the rest
			return
		}
	}
}

// memoryOf is the guest's memory in MiB.
func memoryOf(c Config) int {
	if c.Memory == 0 {
		return defaultMemory
	}
	return c.Memory
}

// String is how an Info reads in a list.
func (i Info) String() string {
	return fmt.Sprintf("%s: Linux %s, %s, %d MiB, up %s", i.Name, i.Kernel, i.Accel, i.Memory, time.Since(i.Started).Round(time.Second))
}
