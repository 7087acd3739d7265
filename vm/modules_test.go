package vm

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseModinfo(t *testing.T) {
	info := parseModinfo([]byte(strings.Join([]string{
		"license=GPL", "alias=nft-expr-masq", "alias=fs-a=b", "depends=nf_tables,nf-nat", "depends=",
		"softdep=pre: crc32c aes post: late pre: more", "name=x", ""}, "\x00")))
	require.Equal(t, []string{"nf_tables", "nf-nat"}, info.depends)
	require.Equal(t, []string{"crc32c", "aes", "more"}, info.pre)
	require.Equal(t, []string{"nft-expr-masq", "fs-a=b"}, info.aliases)
}

func TestModuleName(t *testing.T) {
	for file, want := range map[string]string{"kernel/net/nf-tables.ko.xz": "nf_tables", "veth.ko": "veth", "a-b_c": "a_b_c"} {
		require.Equal(t, want, moduleName(file))
	}
}

// What modprobe reads names all that a module needs, the nearest first.
func TestClosure(t *testing.T) {
	all := map[string]module{"a": {name: "a", needs: []string{"b", "c"}}, "b": {name: "b", needs: []string{"d"}},
		"c": {name: "c", needs: []string{"b"}}, "d": {name: "d"}}
	require.Equal(t, []string{"c", "b", "d"}, closure(all, all["a"]))
	require.Empty(t, closure(all, all["d"]))
}

// In a real kernel's modules, each comes after what it needs.
func TestResolve(t *testing.T) {
	k, err := FindKernel(testContext(t), KernelSource{})
	require.NoError(t, err)
	tree, err := readModuleTree(k.Modules)
	require.NoError(t, err)
	modules, err := tree.resolve(slices.Concat(eager, required), optional)
	require.NoError(t, err)
	loaded := map[string]bool{}
	for _, m := range modules {
		require.False(t, loaded[m.name], m.name)
		for _, before := range m.needs {
			require.True(t, loaded[before], "%s needs %s", m.name, before)
		}
		loaded[m.name] = true
	}
	for _, name := range required {
		require.True(t, loaded[name] || tree.builtin[name], name)
	}
	_, err = tree.resolve([]string{"veth", "no_such"}, nil)
	require.ErrorContains(t, err, "none called no_such")
}
