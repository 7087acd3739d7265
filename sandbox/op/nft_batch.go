//go:build !init

package op

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"

	"cutaway/sandbox/sys"
)

// nftPatience is how long nf_tables may take to answer. The first request loads
// some ten modules, which takes an emulated processor with little time more than
// ten seconds. A kernel without nf_tables does not answer all of a batch.
const nftPatience = 40 * time.Second

func nftConn() (*nftables.Conn, error) {
	return nftables.New(nftables.WithSockOptions(func(conn *netlink.Conn) error {
		return conn.SetDeadline(time.Now().Add(nftPatience))
	}))
}

// nftSend records the messages queued in conn, each its type and the rest in nft
// syntax, and sends them as one batch.
func nftSend(k *sys.Kernel, conn *nftables.Conn, messages []string) error {
	batch := slices.Concat([]string{"NFNL_MSG_BATCH_BEGIN"}, messages, []string{"NFNL_MSG_BATCH_END"})
	err := k.NetlinkBatch(batch, conn.Flush)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("no answer from nf_tables within %s: the kernel lacks CONFIG_NF_TABLES or the module nf_tables", nftPatience)
	}
	return err
}
