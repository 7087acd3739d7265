package op

import (
	"errors"

	"cutaway/sandbox/sys"
)

// Keyring gives init a session keyring of its own: keyctl(2),
// KEYCTL_JOIN_SESSION_KEYRING. The one from before came by fork from whoever
// started the lab, and no namespace stands before it: who has it may read the keys
// in it, in whatever user namespace (session-keyring(7)).
type Keyring struct{}

// Name implements Op.
func (Keyring) Name() string { return "keyctl" }

// Do implements Op. A kernel without CONFIG_KEYS has none to hide.
func (Keyring) Do(k *sys.Kernel, _ *Target) error {
	err := k.JoinSessionKeyring()
	if errors.Is(err, sys.ENOSYS) {
		return nil
	}
	return at(err, "join a new session keyring")
}

// Shell implements Op.
func (Keyring) Shell() string { return "keyctl new_session" }
