package buildup

import (
	"cutaway/sandbox/features"
	"cutaway/sandbox/image/store"
	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"
	"cutaway/sandbox/profile"
)

// Materials are what containers are built with: facts about the machine, and files
// that are the same for every container.
type Materials struct {
	Features features.Features
	// Tree is a root filesystem as a plain directory, Lower the same as the one
	// lower layer of an overlay; both are owned by the ids of Owner.
	Tree  string
	Lower string
	// Layers are the image's layers as directories, topmost first, and Config is
	// what the image says of how to run it.
	Layers []string
	Config store.Config
	User   store.User // whom Config names, by the image's own passwd file
	// UIDMappings and GIDMappings are the user namespace's, Owner says who owns
	// files under them.
	UIDMappings, GIDMappings []op.IDMapping
	Owner                    store.Owner
	Seccomp                  *op.SeccompProfile // the filter of stage 12 and later
	// Disk is what the lab's files lie on, as major:minor; "" if its traffic
	// cannot be limited here.
	Disk string
	Host string // the machine's own name
}

// Map fills in the maps of users and groups: ids that belong to nobody for root,
// and only their own for an ordinary user, who may map no other.
func (m *Materials) Map() {
	f := m.Features
	toRoot := func(first, count int) []op.IDMapping {
		return []op.IDMapping{{ContainerID: 0, HostID: first, Size: count}}
	}
	if f.Root() {
		m.UIDMappings, m.GIDMappings = toRoot(f.IDs.First, f.IDs.Count), toRoot(f.IDs.First, f.IDs.Count)
		return
	}
	m.UIDMappings, m.GIDMappings = toRoot(f.EUID, 1), toRoot(f.EGID, 1)
}

// OwnerOf says whose files a root filesystem is made of: with a user namespace,
// those its root is mapped to.
func OwnerOf(f features.Features, withUserNS bool) store.Owner {
	if !f.Root() || f.IDs.Count == 1 {
		return store.Owner{Squash: true}
	}
	if withUserNS {
		return store.Owner{UIDBase: f.IDs.First, GIDBase: f.IDs.First}
	}
	return store.Owner{}
}

// Owner says whose files the layers of the container are.
func (w Wish) Owner(f features.Features) store.Owner {
	return OwnerOf(f, !w.HostUsers && User.Lacks(f) == nil)
}

// OfImage is the complete container of an image: of its config, and its layers,
// which lie in these directories, topmost first.
func OfImage(f features.Features, config store.Config, layers []string, w Wish) (plan.Spec, error) {
	m := Materials{Features: f, Config: config, Layers: layers}
	m.Map()
	filter, err := profile.Default(Capabilities, f.Kernel)
	if err != nil {
		return plan.Spec{}, err
	}
	m.Seccomp = &filter
	return Complete(m, w)
}
