// nftables rules of one router, from its description in kinds.mjs. Its interface to the outside is called `wan`.

/** Lifetime of entries that say which outside port is whose; longer than any run. */
const KEPT = '1h'

/** Outside ports of a sequential NAT, as elements of a map: nft's numbers are in the machine's byte order, its ports are not. */
const SEQUENCE = Array.from({ length: 8_192 }, (_, at) => `${at} : ${30_000 + at}`)

/** @param {{ wan: string }} addresses wan: the router's IPv4 address outside; returns the text for `nft -f` */
export function rulesOf(router, { wan }) {
  return [filterTable(router), ...(router.mapping === 'none' ? [] : [natTable(router, wan)])].join('\n')
}

// What is dropped on its way in leaves no conntrack entry; an entry of the router's own would take the port from the host
// that punches a moment later.
function filterTable({ filtering, udp = true, only, hairpin = false }) {
  const out = only === undefined ? 'iifname != "wan" accept' : `iifname != "wan" tcp dport { ${only.join(', ')} } accept`
  return `table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    iifname "lo" accept
    meta l4proto ipv6-icmp accept
    iifname != "wan" meta l4proto icmp accept
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ${udp ? '' : 'meta l4proto udp drop'}
    ct state established,related accept
    ${out}
    ${filtering === 'open' || hairpin ? 'ct status dnat accept' : ''}
  }
}`
}

function natTable({ mapping, filtering, hairpin = false }, wan) {
  const open = filtering === 'open'
  const remember = 'update @outside { meta l4proto . th sport : ip saddr . th sport }'
  return `table ip nat {
  map outside { type inet_proto . inet_service : ipv4_addr . inet_service; flags dynamic,timeout; timeout ${KEPT}; size 65535; }
  ${hairpin ? hairpinFilter(wan) : ''}
  chain prerouting {
    type nat hook prerouting priority dstnat;
    ${open ? 'iifname "wan" meta l4proto udp dnat ip to meta l4proto . th dport map @outside' : ''}
    ${hairpin ? `iifname != "wan" ip daddr ${wan} meta l4proto { tcp, udp } dnat ip to meta l4proto . th dport map @outside` : ''}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    ${open || hairpin ? `oifname "wan" meta l4proto { tcp, udp } ${remember}` : ''}
    ${hairpin ? `oifname != "wan" ct status dnat snat to ${wan}` : ''}
    ${translation(mapping, wan)}
  }
}`
}

// RFC 4787 REQ-9 with address-and-port-dependent filtering: a hairpinned packet gets in only where one went out before.
function hairpinFilter(wan) {
  return `set asked { type inet_proto . inet_service . inet_service; flags dynamic,timeout; timeout ${KEPT}; size 65535; }
  chain hairpin {
    type filter hook prerouting priority mangle;
    iifname "wan" return
    ip daddr != ${wan} return
    meta l4proto != { tcp, udp } return
    update @asked { meta l4proto . th sport . th dport }
    ct state established accept
    meta l4proto . th dport . th sport != @asked drop
  }`
}

function translation(mapping, wan) {
  const ports = `oifname "wan" meta l4proto { tcp, udp } snat to ${wan}`
  switch (mapping) {
    case 'random':
      return 'oifname "wan" masquerade random,fully-random'
    case 'sequential':
      return `${ports}:numgen inc mod ${SEQUENCE.length} map { ${SEQUENCE.join(', ')} }\n    oifname "wan" snat to ${wan}`
    // The kernel keeps the source port while it is free, which it is for one home.
    default:
      return `oifname "wan" snat to ${wan}`
  }
}
