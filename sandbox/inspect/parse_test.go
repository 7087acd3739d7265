package inspect

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseMountinfo(t *testing.T) {
	table, err := parseMountinfo(`36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
512 36 0:45 / /run/a\040b\011c\134d rw,relatime shared:7 master:2 propagate_from:3 - tmpfs the\040source rw,size=64k
513 36 0:46 / /empty rw - tmpfs  rw
514 36 0:4 net:[4026532301] /run/cutaway/n rw unbindable - nsfs nsfs rw
`)
	require.NoError(t, err)
	require.Equal(t, []mountEntry{
		{36, 35, "98:0", "/mnt1", "/mnt2", "rw,noatime", "master:1", "ext3", "/dev/root", "rw,errors=continue"},
		{512, 36, "0:45", "/", "/run/a b\tc\\d", "rw,relatime", "shared:7 master:2 propagate_from:3", "tmpfs", "the source", "rw,size=64k"},
		{513, 36, "0:46", "/", "/empty", "rw", "private", "tmpfs", "", "rw"},
		{514, 36, "0:4", "net:[4026532301]", "/run/cutaway/n", "rw", "unbindable", "nsfs", "nsfs", "rw"},
	}, table)
}

func TestParseMountinfoKeepsGoodLines(t *testing.T) {
	table, err := parseMountinfo("x 35 98:0 / / rw - a b c\n1 2 3:4 / / rw\n36 35 98:0 / /good rw - a b c\n36 y 98:0 / / rw - a b c\n")
	require.ErrorContains(t, err, `parse mount "x 35`)
	require.Len(t, table, 1)
	require.Equal(t, "/good", table[0].target)
}

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{
		"":            "",
		"plain":       "plain",
		`a\040b`:      "a b",
		`\134040`:     `\040`, // an escaped backslash is not an escape
		`end\04`:      `end\04`,
		`\999`:        `\999`,
		`ov\134:er`:   `ov\:er`,
		`caf\303\251`: "café",
	} {
		require.Equal(t, want, unescape(in), in)
	}
}

func TestOverlayLayers(t *testing.T) {
	for options, want := range map[string]Detail{
		`rw,lowerdir=/l 1:/l\:2,upperdir=/u,workdir=/w,uuid=on`: {
			{Key: "lower 1", Value: "/l 1"}, {Key: "lower 2", Value: "/l:2"},
			{Key: "upper", Value: "/u"}, {Key: "work", Value: "/w"}, {Key: "uuid", Value: "on"},
		},
		`ro,lowerdir=/a:/b::/data`: {
			{Key: "lower 1", Value: "/a"}, {Key: "lower 2", Value: "/b"}, {Key: "lower 3", Value: "/data"},
		},
		`rw,lowerdir+=/a,lowerdir+=/b,datadir+=/d,upperdir=/u\,1,workdir=/w`: {
			{Key: "lower 1", Value: "/a"}, {Key: "lower 2", Value: "/b"}, {Key: "lower 3", Value: "/d"},
			{Key: "upper", Value: "/u,1"}, {Key: "work", Value: "/w"},
		},
	} {
		require.Equal(t, want, overlayLayers(options), options)
	}
}

func TestStatFieldsWithHostileName(t *testing.T) {
	require.Equal(t, []string{"S", "7", "1"}, statFields([]byte("42 (a) (b) ) S 7 1\n")))
	require.Nil(t, statFields([]byte("42 no name")))
}

func TestCapText(t *testing.T) {
	const last = 40
	for mask, want := range map[uint64]string{
		0:                        "none",
		1<<41 - 1:                "all 41",
		1<<41 - 1 - 1<<24:        "all 41 but CAP_SYS_RESOURCE",
		1<<0 | 1<<13:             "CAP_CHOWN CAP_NET_RAW",
		1<<21 | 1<<40:            "CAP_SYS_ADMIN CAP_CHECKPOINT_RESTORE",
		0x00000000a80425fb:       "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID CAP_SETPCAP CAP_NET_BIND_SERVICE CAP_NET_RAW CAP_SYS_CHROOT CAP_MKNOD CAP_AUDIT_WRITE CAP_SETFCAP",
		1<<41 - 1 - 1<<0 - 1<<40: "all 41 but CAP_CHOWN CAP_CHECKPOINT_RESTORE",
	} {
		require.Equal(t, want, capText(mask, last))
	}
	require.Equal(t, "all 38", capText(1<<38-1, 37), "an older kernel knows fewer")
	require.Equal(t, "capability 41", capText(1<<41, 50), "a newer one more")
}

func TestParseLimits(t *testing.T) {
	d := parseLimits(`Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max stack size            8388608              unlimited            bytes     
Max processes             96365                96365                processes 
Max locked memory         65536                65536                bytes     
Max nice priority         0                    0                    
`)
	require.Equal(t, Detail{
		{Key: "RLIMIT_CPU", Value: "unlimited"},
		{Key: "RLIMIT_STACK", Value: "soft 8388608, hard unlimited bytes"},
		{Key: "RLIMIT_NPROC", Value: "96365"},
		{Key: "RLIMIT_MEMLOCK", Value: "65536 bytes"},
		{Key: "RLIMIT_NICE", Value: "0"},
	}, d)
}

func TestParseOffsets(t *testing.T) {
	require.Equal(t, Detail{
		{Key: "monotonic", Value: "86400 s"}, {Key: "boottime", Value: "-7 s 5 ns"},
	}, parseOffsets("monotonic       86400         0\nboottime           -7         5\n"))
}

func TestCredential(t *testing.T) {
	require.Equal(t, "1000", credential("1000 1000 1000 1000"))
	require.Equal(t, "real 1000, effective 0, saved 0, fs 0", credential("1000 0 0 0"))
}

func TestDeviceNumber(t *testing.T) {
	for dev, want := range map[uint64]string{
		0x0103: "1:3", 0xfe00: "254:0", 0x8803: "136:3",
	} {
		require.Equal(t, want, DeviceNumber(dev))
	}
	require.Equal(t, "259:1048575", DeviceNumber(259<<8|0xff|0xfff00<<12), "minors have 20 bits in two pieces")
}

func TestCgroupPaths(t *testing.T) {
	require.Equal(t, "/user.slice/a:b", cgroupPaths("0::/user.slice/a:b\n"))
	require.Equal(t, "/ (systemd pids), /x (memory v2)",
		cgroupPaths("9:name=systemd:/\n8:pids:/\n4:memory:/x\n0::/x\n"))
}

func TestIPCTables(t *testing.T) {
	rows := columns("       key      shmid perms                  size  cpid\n -559038737          3  1600                  4096   17\n         0          4   600                  8192   18\n")
	require.Len(t, rows, 2)
	require.Equal(t, "3", rows[0]["shmid"])
	require.Equal(t, "0xdeadbeef", ipcKey(rows[0]["key"]))
	require.Equal(t, "IPC_PRIVATE", ipcKey(rows[1]["key"]))
	require.Empty(t, columns(""))
}

// fixture writes files below a directory of the test's own.
func fixture(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text+"\n"), 0o644))
	}
}

func TestCgroupVersionsSpeakTheSameTerms(t *testing.T) {
	dir := t.TempDir()
	fixture(t, dir, map[string]string{
		"v2/cutaway/x/cgroup.procs":       "17\n18",
		"v2/cutaway/x/cgroup.controllers": "memory pids",
		"v2/cutaway/x/memory.max":         "67108864",
		"v2/cutaway/x/memory.high":        "max",
		"v2/cutaway/x/cpu.max":            "50000 100000",
		"v2/cutaway/x/cpu.weight":         "100",
		"v2/cutaway/x/pids.max":           "64",
		"v2/cutaway/x/io.max":             "8:0 rbps=1048576 wbps=max riops=max wiops=max\n8:16 rbps=max wbps=1 riops=max wiops=max",
		"v2/cutaway/x/io.stat":            "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n8:16 rbytes=8192 wbytes=512 rios=2 wios=1",
		"v2/cutaway/x/cgroup.freeze":      "1",
		"v2/cutaway/x/memory.current":     "4096",
		"v2/cutaway/x/memory.events":      "low 0\nhigh 2\nmax 9\noom 1\noom_kill 1\noom_group_kill 0",
		"v2/cutaway/x/cpu.stat":           "usage_usec 1500\nuser_usec 1\nnr_throttled 3",
		"v2/cutaway/x/memory.pressure":    "some avg10=1.00 avg60=0.00 avg300=0.00 total=77\nfull avg10=0.00",

		"memory/cutaway/x/cgroup.procs":                              "17",
		"memory/cutaway/x/memory.limit_in_bytes":                     "67108864",
		"memory/cutaway/x/memory.usage_in_bytes":                     "4096",
		"memory/cutaway/x/memory.failcnt":                            "9",
		"memory/cutaway/x/memory.oom_control":                        "oom_kill_disable 0\nunder_oom 0\noom_kill 1",
		"memory/cutaway/y/cgroup.procs":                              "",
		"memory/cutaway/y/memory.limit_in_bytes":                     "9223372036854771712",
		"cpu,cpuacct/cutaway/x/cgroup.procs":                         "17",
		"cpu,cpuacct/cutaway/x/cpu.cfs_quota_us":                     "50000",
		"cpu,cpuacct/cutaway/x/cpu.cfs_period_us":                    "100000",
		"cpu,cpuacct/cutaway/x/cpu.shares":                           "1024",
		"cpu,cpuacct/cutaway/x/cpuacct.usage":                        "1500000",
		"cpu,cpuacct/cutaway/x/cpu.stat":                             "nr_periods 1\nnr_throttled 3\nthrottled_time 9000",
		"freezer/cutaway/x/cgroup.procs":                             "17",
		"freezer/cutaway/x/freezer.state":                            "FROZEN",
		"blkio/cutaway/x/cgroup.procs":                               "17",
		"blkio/cutaway/x/blkio.throttle.read_bps_device":             "8:0 1048576",
		"blkio/cutaway/x/blkio.throttle.write_iops_device":           "8:16 10",
		"blkio/cutaway/x/blkio.throttle.io_service_bytes":            "8:0 Read 4096\n8:0 Write 0\n8:0 Total 4096\n8:16 Read 8192\n8:16 Write 512\nTotal 12800",
		"blkio/cutaway/y/cgroup.procs":                               "",
		"blkio/cutaway/y/blkio.throttle.read_bps_device":             "",
		"blkio/cutaway/y/blkio.throttle.write_bps_device":            "8:0 7",
		"devices/cutaway/x/cgroup.procs":                             "17",
		"devices/cutaway/x/devices.list":                             "c 1:3 rwm\nc 1:5 rwm",
		"name=systemd/cutaway/unrelated/not-a-cgroup-without-a-file": "",
	})
	s, err := newSurvey(t.Context())
	require.NoError(t, err)
	for _, h := range []hierarchy{
		{mount: dir + "/v2", root: "/", version: 2},
		{mount: dir + "/memory", root: "/", version: 1, controllers: "memory"},
		{mount: dir + "/cpu,cpuacct", root: "/", version: 1, controllers: "cpu,cpuacct"},
		{mount: dir + "/freezer", root: "/", version: 1, controllers: "freezer"},
		{mount: dir + "/blkio", root: "/", version: 1, controllers: "blkio"},
		{mount: dir + "/devices", root: "/", version: 1, controllers: "devices"},
		{mount: dir + "/name=systemd", root: "/", version: 1, controllers: "name=systemd"},
	} {
		s.cgroupTreeIn(h, h.mount+"/cutaway/x")
		s.cgroupTreeIn(h, h.mount+"/cutaway/y")
	}
	require.Empty(t, s.snap.Gaps)
	get := func(id, key string) string {
		o := s.snap.Find(Cgroup, id)
		require.NotNil(t, o, id)
		return o.Detail.Get(key)
	}
	for _, both := range []struct{ key, v1, want, wantV1 string }{
		{"memory.max", "memory", "67108864", ""},
		{"memory.current", "memory", "4096", ""},
		{"memory.events max", "memory", "9", ""},
		{"memory.events oom_kill", "memory", "1", ""},
		{"cpu.max", "cpu,cpuacct", "50000 100000", ""},
		{"cpu.weight", "cpu,cpuacct", "100", "1024 shares"},
		{"cpu.stat usage_usec", "cpu,cpuacct", "1500", ""},
		{"cpu.stat nr_throttled", "cpu,cpuacct", "3", ""},
		{"cgroup.freeze", "freezer", "1", ""},
		{"io.stat rbytes", "blkio", "12288", ""},
		{"io.stat wbytes", "blkio", "512", ""},
		{"io.max", "blkio", "8:0 rbps=1048576 wbps=max riops=max wiops=max; 8:16 rbps=max wbps=1 riops=max wiops=max", "8:0 rbps=1048576; 8:16 wiops=10"},
	} {
		if both.wantV1 == "" {
			both.wantV1 = both.want
		}
		require.Equal(t, both.want, get("cutaway/x", both.key))
		require.Equal(t, both.wantV1, get(both.v1+":cutaway/x", both.key))
	}
	require.Equal(t, "max", get("memory:cutaway/y", "memory.max"))
	require.Equal(t, "8:0 wbps=7", get("blkio:cutaway/y", "io.max"), "a limit of writes alone")
	require.Equal(t, "c 1:3 rwm; c 1:5 rwm", get("devices:cutaway/x", "devices"))
	require.Equal(t, "2", get("cutaway/x", "processes"))
	require.Equal(t, "avg10=1.00 avg60=0.00 avg300=0.00 total=77", get("cutaway/x", "memory.pressure some"))
	require.Equal(t, dir+"/v2/cutaway/x", s.snap.Find(Cgroup, "cutaway/x").Where)
	require.Equal(t, dir+"/memory/cutaway/x/{memory.limit_in_bytes}", s.snap.Find(Cgroup, "memory:cutaway/x").Where)
	require.Len(t, s.snap.Of(Cgroup), 8)
}

func TestHierarchiesOfAHybridMachine(t *testing.T) {
	table, err := parseMountinfo(`31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/lib/x,name=systemd
41 31 0:38 /docker/abc /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate
99 31 0:29 / /elsewhere rw - cgroup cgroup rw,cpu,cpuacct
`)
	require.NoError(t, err)
	found := hierarchies(table)
	require.Equal(t, []hierarchy{
		{"/sys/fs/cgroup/cpu,cpuacct", "/", 1, "cpu,cpuacct"},
		{"/sys/fs/cgroup/systemd", "/", 1, "name=systemd"},
		{"/sys/fs/cgroup/unified", "/docker/abc", 2, ""},
	}, found)
	own := "5:cpu,cpuacct:/a/b\n1:name=systemd:/\n0::/docker/abc/x"
	require.Equal(t, "/sys/fs/cgroup/cpu,cpuacct/a/b", found[0].dirOf(own))
	require.Equal(t, "/sys/fs/cgroup/systemd", found[1].dirOf(own))
	require.Equal(t, "/sys/fs/cgroup/unified/x", found[2].dirOf(own))
	require.Empty(t, found[2].dirOf("0::/elsewhere"), "not shown by this mount")
	require.Empty(t, found[0].dirOf("0::/"), "a hierarchy the process is not in")
	require.Empty(t, found[0].dirOf("5:cpu,cpuacct:/../x"), "above the reader's cgroup namespace")
}
