// The kinds of network a device may sit in, as data. `routers` stand between the internet and the home, outermost first.
//
// mapping:    none         no translation, a firewall only
//             independent  one outside port for one inside port, whatever the destination; the port is kept (RFC 4787 EIM)
//             random       another, random outside port for each destination (endpoint-dependent)
//             sequential   another outside port for each destination, each one more than the last
// filtering:  open         whoever sends to an outside UDP port that is in use gets in (endpoint-independent)
//             strict       only the address and port that was sent to gets in
const HOME = { mapping: 'independent', filtering: 'strict' }
const RANDOM = { mapping: 'random', filtering: 'strict' }

export const KINDS = {
  pub: { means: 'a public address, nothing in between', routers: [] },
  fw: { means: 'a public address behind a stateful firewall', routers: [{ mapping: 'none', filtering: 'strict' }] },
  cone: { means: 'a NAT that lets everybody answer', routers: [{ mapping: 'independent', filtering: 'open' }] },
  prc: { means: 'an ordinary home router', routers: [HOME] },
  sym: { means: 'a random outside port for each destination', routers: [RANDOM] },
  symseq: { means: 'the next outside port for each destination', routers: [{ mapping: 'sequential', filtering: 'strict' }] },
  cgn: { means: 'a home router behind a carrier NAT', routers: [HOME, HOME] },
  cgnsym: { means: 'a home router behind a carrier NAT with random ports', routers: [RANDOM, HOME] },
  noudp: { means: 'a home router that drops UDP', routers: [{ ...HOME, udp: false }] },
  web: { means: 'only TCP to ports 80 and 443 gets out', routers: [{ ...HOME, only: [80, 443] }] },
  lan: { means: 'a home; two of them are in the same one', routers: [HOME], shares: 'home' },
  hairpin: { means: 'cgn; two of them share a carrier NAT that hairpins', routers: [{ ...HOME, hairpin: true }, HOME], shares: 'carrier' },
  nohairpin: { means: 'cgn; two of them share a carrier NAT that does not hairpin', routers: [HOME, HOME], shares: 'carrier' },
  v6: { means: 'a home router, and IPv6 behind its stateful firewall', routers: [HOME], ipv6: true },
}

/** Every unordered pair of kinds, each as `[a, b]`. */
export function allPairs() {
  const names = Object.keys(KINDS)
  return names.flatMap((a, at) => names.slice(at).map((b) => [a, b]))
}
