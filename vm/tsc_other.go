//go:build !amd64

package vm

// clockHint: other processors say themselves how fast their counter runs.
func clockHint(arch, accel string) string { return "" }
