package op

// Port is a port of the host that leads to one of the container's.
type Port struct {
	HostIP        string `json:"hostIP,omitempty"` // "" for every address of the host
	HostPort      int    `json:"hostPort"`         // 0 is replaced by a free one before the Plan is made
	ContainerPort int    `json:"containerPort"`
	Protocol      string `json:"protocol"` // tcp or udp
}
