package doctor

import "context"

// System is a family of distributions, by its package manager.
type System string

// The systems that fixes are known for.
const (
	debian System = "apt" // and Ubuntu
	fedora System = "dnf"
	alpine System = "apk"
	arch   System = "pacman"
	macOS  System = "brew"
)

// onMacOS is the fix for everything there: a Linux machine that has no such
// problem. Its make target says how to get Lima.
const onMacOS = "make lima: a Linux machine made for the lab"

// install is the command that installs a group of programs here.
func (m Machine) install(ctx context.Context, group string) string {
	command, err := m.Packages.Install(ctx, group)
	if err != nil {
		return "install by hand; " + err.Error()
	}
	return command
}

// bootArgument is the command that adds an argument to the kernel's command line,
// as each distribution's usual boot loader has it: grub-mkconfig(8), grubby(8),
// and on Alpine update-extlinux(8).
func (m Machine) bootArgument(argument string) string {
	const grub = `sudo sed -i 's/^GRUB_CMDLINE_LINUX="/&`
	switch m.Packages.Manager() {
	case debian:
		return grub + argument + ` /' /etc/default/grub && sudo update-grub && sudo reboot`
	case fedora:
		return "sudo grubby --update-kernel=ALL --args=" + argument + " && sudo reboot"
	case arch:
		return grub + argument + ` /' /etc/default/grub && sudo grub-mkconfig -o /boot/grub/grub.cfg && sudo reboot`
	case alpine:
		return `sudo sed -i 's/^default_kernel_opts="/&` + argument + ` /' /etc/update-extlinux.conf && sudo update-extlinux && sudo reboot`
	}
	return "add " + argument + " to the kernel's command line in the boot loader, and reboot"
}

// wslConfig is how somebody on Windows changes the machine that WSL2 makes:
// https://learn.microsoft.com/windows/wsl/wsl-config
func wslConfig(line string) string {
	return `on Windows, in %UserProfile%\.wslconfig below [wsl2]: ` + line + "; then: wsl --shutdown"
}
