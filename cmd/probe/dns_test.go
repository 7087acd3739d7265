package main

import (
	"encoding/hex"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnswerDNS(t *testing.T) {
	address := netip.MustParseAddr("192.0.2.2")
	// As nslookup asks: id 0x1234, recursion desired, one question.
	query := func(question string) []byte {
		raw, err := hex.DecodeString("1234" + "0100" + "0001000000000000" + question)
		require.NoError(t, err)
		return raw
	}
	const web = "03576562" + "076578616d706c65" + "00" // Web.example
	for _, c := range []struct{ question, want string }{
		{web + "00010001", "1234" + "8500" + "0001000100000000" + web + "00010001" + "c00c000100010000003c0004c0000202"},
		{web + "001c0001", "1234" + "8500" + "0001000000000000" + web + "001c0001"}, // AAAA: the name is known, such an address is not
		{"016e0000010001", "1234" + "8503" + "0001000000000000" + "016e0000010001"},
	} {
		require.Equal(t, c.want, hex.EncodeToString(answerDNS(query(c.question), "web.example.", address)))
	}
	for _, question := range []string{"", "03", "0577", "ff00", web + "00"} {
		require.Nil(t, answerDNS(query(question), "web.example", address), question)
	}
	require.Nil(t, answerDNS(nil, "web.example", address))
}
