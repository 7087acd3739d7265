package vagrant

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// settings is a program for Vagrant's own Ruby: what the Vagrantfile comes to
// for each provider, whether it is installed or not. _detected_errors names
// settings that a provider's class does not know.
const settings = `
require "vagrant"
env = Vagrant::Environment.new(cwd: ARGV[0])
%i[virtualbox vmware_desktop parallels libvirt hyperv].each do |name|
  vm = env.vagrantfile.machine_config(:default, name, nil, nil, false)[:config].vm
  provider = vm.get_provider_config(name)
  known = !provider.is_a?(Vagrant::Config::V2::DummyConfig)
  unknown = known ? provider._detected_errors.map(&:to_s) : []
  folders = vm.synced_folders.reject { |_, f| f[:disabled] }.map { |to, f| "#{to}:#{f[:type]}" }
  puts [name, vm.box, vm.box_url.inspect, folders.join(","), unknown.join(",")].join("|")
end
`

// evaluate gives one line for each provider.
func evaluate(t *testing.T, env ...string) map[string]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ruby", "-W0", "-e", settings, project(t))
	cmd.Env = append(append(os.Environ(), "VAGRANT_HOME="+t.TempDir()), env...)
	out, err := cmd.Output()
	require.NoError(t, err)
	lines := map[string]string{}
	for line := range strings.Lines(string(out)) {
		provider, rest, _ := strings.Cut(strings.TrimSpace(line), "|")
		lines[provider] = rest
	}
	return lines
}

func TestVagrantfileIsRuby(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "ruby", "-wc", project(t)+"/Vagrantfile").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "Syntax OK\n", string(out))
}

func TestEveryProviderHasABox(t *testing.T) {
	got := evaluate(t)
	for provider, box := range map[string]string{
		"virtualbox": "bento/debian-13", "vmware_desktop": "bento/debian-13", "parallels": "bento/debian-13",
		"libvirt": "cloud-image/debian-13", "hyperv": "generic/debian12",
	} {
		require.Equal(t, box+"|nil|/opt/cutaway:rsync|", got[provider], provider)
	}
}

// For when the boxes above are gone.
func TestBoxFromTheEnvironment(t *testing.T) {
	for provider, got := range evaluate(t, "CUTAWAY_BOX=my/box", "CUTAWAY_BOX_URL=file:///my.box") {
		require.Equal(t, `my/box|["file:///my.box"]|/opt/cutaway:rsync|`, got, provider)
	}
}
