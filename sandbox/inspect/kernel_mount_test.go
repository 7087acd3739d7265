package inspect

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMountAndOverlayAppear(t *testing.T) {
	dir := t.TempDir()
	s := startShell(t, syscall.CLONE_NEWNS)
	s.do(`mkdir "%s/a b"`, dir)
	d := s.during(`mount -t tmpfs -o size=64k "the source" "%s/a b"`, dir)
	require.Empty(t, d.Changed)
	require.Empty(t, d.Removed)
	require.Equal(t, []string{"mount"}, kindNames(d.Created), "and the host's table stays as it is")
	m := d.Created[0].Detail
	require.Equal(t, dir+"/a b", m.Get("target"))
	require.Equal(t, "tmpfs", m.Get("type"))
	require.Equal(t, "the source", m.Get("source"))
	require.Equal(t, "private", m.Get("propagation"))
	require.Contains(t, m.Get("super"), "size=64k")

	s.do(`cd "%s/a b" && mkdir l1 "l 2" u w m`, dir)
	d = s.during(`mount -t overlay ov -o "lowerdir=l1:l 2,upperdir=u,workdir=w" m`)
	require.Equal(t, []string{"mount", "overlay"}, kindNames(d.Created))
	o := d.Created[1].Detail
	require.Equal(t, "l1", filepath.Base(o.Get("lower 1")))
	require.Equal(t, "l 2", filepath.Base(o.Get("lower 2")))
	require.Equal(t, "u", filepath.Base(o.Get("upper")))
	require.Equal(t, "w", filepath.Base(o.Get("work")))

	d = s.during("mount -o remount,ro,bind m && mount --make-shared m")
	require.Equal(t, []string{"mount"}, kindNames(d.Changed))
	require.Equal(t, "private", d.Changed[0].Was.Get("propagation"))
	require.Equal(t, "rw,relatime", d.Changed[0].Was.Get("options"))

	d = s.during("umount m")
	require.Equal(t, []string{"mount", "overlay"}, kindNames(d.Removed))
}

func TestDevicesAppear(t *testing.T) {
	s := startShell(t, syscall.CLONE_NEWNS)
	s.do("mount -t tmpfs dev /dev")
	d := s.during("mknod -m 666 /dev/null c 1 3 && ln -s /proc/self/fd /dev/fd && echo x >/dev/plain")
	mnt := take(t, Scope{PIDs: []int{s.pid}}).Find(Process, strconv.Itoa(s.pid)).Detail.Get("mnt")
	require.Equal(t, []string{"device /dev/fd@" + mnt, "device /dev/null@" + mnt}, ids(d.Created))
	require.Equal(t, "/proc/self/fd", d.Created[0].Detail.Get("target"))
	require.Equal(t, "char", d.Created[1].Detail.Get("type"))
	require.Equal(t, "1:3", d.Created[1].Detail.Get("number"))
	require.Equal(t, "0666", d.Created[1].Detail.Get("mode"))
}

func TestIPCObjectsAppear(t *testing.T) {
	s := startShell(t, syscall.CLONE_NEWIPC|syscall.CLONE_NEWNS)
	s.do("mkdir -p /run/mq && mount -t tmpfs m /run && mkdir /run/mq && mount -t mqueue m /run/mq")
	ns := take(t, Scope{PIDs: []int{s.pid}}).Find(Process, strconv.Itoa(s.pid)).Detail.Get("ipc")
	d := s.during("{ ipcmk -M 4096; ipcmk -S 3; ipcmk -Q; touch /run/mq/q; } >/dev/null")
	require.Equal(t, []string{
		"shm shmid 0@" + ns, "sem semid 0@" + ns, "msg msqid 0@" + ns, "mqueue /q@" + ns,
	}, ids(d.Created))
	require.Empty(t, d.Changed)
	require.Equal(t, "4096", d.Created[0].Detail.Get("size"))
	require.Equal(t, "3", d.Created[1].Detail.Get("nsems"))
	d = s.during("ipcrm -m 0 && rm /run/mq/q")
	require.Equal(t, []string{"shm shmid 0@" + ns, "mqueue /q@" + ns}, ids(d.Removed))
}

// A second mount namespace that keeps the first one's mqueue mount sees the
// first one's queues, and they do not become its own.
func TestInheritedMqueueMountIsTheHosts(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	require.NoError(t, syscall.Mount("mqueue", dir, "mqueue", 0, ""))
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	queue, err := os.Create(dir + "/hosts")
	require.NoError(t, err)
	require.NoError(t, queue.Close())
	t.Cleanup(func() { _ = os.Remove(dir + "/hosts") })
	cmd := start(t, &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWIPC | syscall.CLONE_NEWNS}, "sleep", "60")
	s := take(t, Scope{Host: true, PIDs: []int{cmd.Process.Pid}})
	ours, err := os.Readlink("/proc/self/ns/ipc")
	require.NoError(t, err)
	require.Equal(t, []string{"mqueue /hosts@" + ours}, ids(s.Of(Mqueue)))
}

func TestStateDirectories(t *testing.T) {
	dir := t.TempDir()
	scope := Scope{StateDirs: []string{dir}}
	before := take(t, scope)
	require.NoError(t, os.MkdirAll(dir+"/blobs/sha256", 0o700))
	require.NoError(t, os.WriteFile(dir+"/blobs/sha256/aa", []byte(`{"mediaType":"application/vnd.oci.image.manifest.v1+json"}`), 0o600))
	require.NoError(t, os.WriteFile(dir+"/blobs/sha256/bb", []byte{0x1f, 0x8b, 8, 0}, 0o600))
	require.NoError(t, os.WriteFile(dir+"/blobs/sha256/cc", []byte(`{"rootfs":{}}`), 0o600))
	require.NoError(t, os.WriteFile(dir+"/blobs/sha256/dd", nil, 0o600))
	d := Compare(before, take(t, scope))
	require.Empty(t, d.Changed)
	require.Equal(t, []string{
		"dir " + dir + "/blobs", "dir " + dir + "/blobs/sha256",
		"blob sha256:aa", "blob sha256:bb", "blob sha256:cc", "blob sha256:dd",
	}, ids(d.Created))
	types := []string{}
	for _, b := range d.Created[2:] {
		types = append(types, b.Detail.Get("media type"))
	}
	require.Equal(t, []string{
		"application/vnd.oci.image.manifest.v1+json", "application/gzip",
		"application/vnd.oci.image.config.v1+json", "",
	}, types)
}
