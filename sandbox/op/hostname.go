package op

import "cutaway/sandbox/sys"

// Hostname sets the node name of the UTS namespace init is in: sethostname(2).
// At most 64 bytes, uts_namespaces(7).
type Hostname struct{ Hostname string }

// Name implements Op.
func (Hostname) Name() string { return "sethostname" }

// Do implements Op.
func (o Hostname) Do(k *sys.Kernel, _ *Target) error {
	return at(k.Sethostname(o.Hostname), "set hostname %q", o.Hostname)
}

// Shell implements Op.
func (o Hostname) Shell() string { return "hostname " + quote(o.Hostname) }

// Domainname sets the NIS domain name beside it: setdomainname(2). DNS knows
// nothing of it.
type Domainname struct{ Domainname string }

// Name implements Op.
func (Domainname) Name() string { return "setdomainname" }

// Do implements Op.
func (o Domainname) Do(k *sys.Kernel, _ *Target) error {
	return at(k.Setdomainname(o.Domainname), "set domain name %q", o.Domainname)
}

// Shell implements Op.
func (o Domainname) Shell() string { return "sysctl -w kernel.domainname=" + quote(o.Domainname) }
