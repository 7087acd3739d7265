package op

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"

	"cutaway/sandbox/sys"
)

// nftMessage is one message of a batch: its type, and the rest in nft syntax.
type nftMessage struct{ kind, body string }

// nftPatience is how long nf_tables may take to answer; the first request loads
// its modules. A kernel without it does not answer all of a batch.
const nftPatience = 10 * time.Second

func nftConn() (*nftables.Conn, error) {
	return nftables.New(nftables.WithSockOptions(func(conn *netlink.Conn) error {
		return conn.SetDeadline(time.Now().Add(nftPatience))
	}))
}

// nftSend records the messages queued in conn and sends them with the last.
func nftSend(k *sys.Kernel, conn *nftables.Conn, messages []nftMessage) error {
	for i, m := range messages {
		err := k.Netlink(m.kind, m.body, func() error {
			if i < len(messages)-1 {
				return nil
			}
			return conn.Flush()
		})
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Errorf("no answer from nf_tables within %s: the kernel lacks CONFIG_NF_TABLES or the module nf_tables", nftPatience)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
