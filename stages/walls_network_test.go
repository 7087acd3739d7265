package stages

// networkEscapes reach for what others send and where they listen.
var networkEscapes = []escape{
	{name: "a raw socket without CAP_NET_RAW", do: "probe call raw-socket", free: `= \d`, walls: []wall{dropped("NET_RAW")}},
	{name: "listen on a link of the host's", do: "probe call packet HOSTLINK", free: "= 0", past: "CVE-2020-14386",
		walls: []wall{links("ENODEV"), users("EPERM"), dropped("NET_RAW")}},
	{name: "connect to an abstract socket of the host's", do: "probe call abstract HOSTNAME", free: "= 0", past: "CVE-2020-15257",
		walls: []wall{links("ECONNREFUSED")}},
}
