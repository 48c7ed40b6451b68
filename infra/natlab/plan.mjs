// From two kinds of network to a plan: which boxes there are, what is wired to what, and which routes and rules they have.
// Pure data; network.mjs builds it. All addresses are ones that libp2p takes for public, but for those of homes and
// carriers: documentation and benchmark ranges count as private there.
import { rulesOf } from './firewall.mjs'
import { KINDS } from './kinds.mjs'

/** Where the relays are. The first has a second address, for tests that need two. */
export const RELAYS = [
  { box: 'relay', net: '45.33.10', net6: '2a01:4f8:10', hosts: ['45.33.10.10', '45.33.10.11'] },
  { box: 'relay2', net: '45.79.20', net6: '2a01:4f8:20', hosts: ['45.79.20.10'] },
]

/** Everything that is numbered differently at the two ends of a pair. */
const PLACES = {
  a: { access: '73.10.1', routed: '73.10.2', carrier: '100.64.1', home: '192.168.1', net6: '2a02:810a' },
  b: { access: '91.20.1', routed: '91.20.2', carrier: '100.64.2', home: '192.168.178', net6: '2a02:810b' },
  a2: { access: '80.30.1', routed: '80.30.2', carrier: '100.64.3', home: '192.168.8', net6: '2a02:810c' },
  b2: { access: '88.40.1', routed: '88.40.2', carrier: '100.64.4', home: '192.168.9', net6: '2a02:810d' },
}

/**
 * @typedef {{ box: string, name: string, addresses?: string[] }} End
 * @typedef {{ boxes: Record<string, { forwards?: boolean, bridge?: boolean, rules?: string }>,
 *   wires: { ends: [End, End], slow?: boolean }[], routes: { box: string, to: string, via: string }[] }} Plan
 */

/** @returns {Plan} parts put together; later ones may not redefine a box */
export function combine(...parts) {
  return {
    boxes: Object.assign({}, ...parts.map(({ boxes }) => boxes)),
    wires: parts.flatMap(({ wires }) => wires),
    routes: parts.flatMap(({ routes }) => routes),
  }
}

/** The internet and `relays` relays in it. Unknown destinations are dropped in silence, as providers do. */
export function internet(relays = 1) {
  const core = { boxes: { core: { forwards: true } }, wires: [], routes: [{ box: 'core', to: 'blackhole' }] }
  return combine(core, ...RELAYS.slice(0, relays).map(relayHost))
}

function relayHost({ box, net, net6, hosts }) {
  return {
    boxes: { [box]: { rules: COUNTERS } },
    wires: [
      wire(
        { box: 'core', name: box, addresses: [`${net}.1/24`, `${net6}::1/64`] },
        { box, name: 'wan', addresses: [...hosts.map((host) => `${host}/24`), `${net6}::10/64`] },
      ),
    ],
    routes: [defaultRoute(box, `${net}.1`), defaultRoute(box, `${net6}::1`)],
  }
}

/** Counts what a relay receives; counters.mjs reads it. */
const COUNTERS = `table inet seen {
  counter received { }
  chain input {
    type filter hook input priority raw;
    iifname "wan" counter name received
  }
}`

/** @returns {Plan} two hosts, `a` and `b`, in networks of these kinds, with `relays` relays */
export function planPair(a, b, { relays = 1 } = {}) {
  return combine(internet(relays), ...(a === b && KINDS[a].shares !== undefined ? sharing(a) : [place('a', a), place('b', b)]))
}

function sharing(kind) {
  return KINDS[kind].shares === 'home' ? [oneHome(kind)] : [oneCarrier(kind)]
}

/**
 * One end of a pair: a host and the routers between it and the internet.
 * @param {'a' | 'b' | 'a2' | 'b2'} name of the place; a2 and b2 are second ones for hosts a and b, whose `eth1` leads there
 */
export function place(name, kind) {
  const { routers, ipv6 = false } = KINDS[kind]
  const [outer, inner] = routers
  if (outer === undefined) return bare(name)
  if (inner === undefined) return behind(name, { router: outer, ipv6 })
  return behindTwo(name, { carrier: outer, router: inner })
}

/** The host of a place, and its interface there. */
const hostAt = (name) => ({ box: name[0], name: name.endsWith('2') ? 'eth1' : 'eth0' })

function bare(name) {
  const { access } = PLACES[name]
  const { box, name: port } = hostAt(name)
  return {
    boxes: { [box]: {} },
    wires: [slow(toCore(name, access), { box, name: port, addresses: [`${access}.20/24`] })],
    routes: isSecond(name) ? [] : [defaultRoute(box, `${access}.1`)],
  }
}

/** Whoever builds a second place says when the host's traffic goes there. */
const isSecond = (name) => name.endsWith('2')

/** Gateway of a place as its host sees it. */
export function gatewayOf(name, kind) {
  const [router] = KINDS[kind].routers
  return `${router === undefined ? PLACES[name].access : insideNet(name, router)}.1`
}

const toCore = (name, net, more = []) => ({ box: 'core', name: `to-${name}`, addresses: [`${net}.1/24`, ...more] })

function behind(name, { router, ipv6 }) {
  const { access, net6 } = PLACES[name]
  const box = `${name}-router`
  const inside = insideNet(name, router)
  const prefix = `${net6}:1`
  const plan = combine(
    routerBox(box, { router, wan: `${access}.20` }),
    {
      boxes: {},
      wires: [
        slow(toCore(name, access, ipv6 ? [`${net6}::1/64`] : []), wanOf(box, [`${access}.20/24`, ...(ipv6 ? [`${net6}::2/64`] : [])])),
      ],
      routes: [defaultRoute(box, `${access}.1`)],
    },
    home(name, { box, net: inside, net6: ipv6 ? prefix : undefined }),
  )
  if (router.mapping === 'none') plan.routes.push({ box: 'core', to: `${inside}.0/24`, via: `${access}.20` })
  if (ipv6) plan.routes.push(defaultRoute(box, `${net6}::1`), { box: 'core', to: `${prefix}::/64`, via: `${net6}::2` })
  return plan
}

/** Behind a firewall without translation the inside is public too. */
const insideNet = (name, { mapping }) => (mapping === 'none' ? PLACES[name].routed : PLACES[name].home)

function behindTwo(name, { carrier, router }) {
  const { access } = PLACES[name]
  const outside = {
    boxes: {},
    wires: [wire(toCore(name, access), wanOf(`${name}-carrier`, [`${access}.20/24`]))],
    routes: [defaultRoute(`${name}-carrier`, `${access}.1`)],
  }
  return combine(
    routerBox(`${name}-carrier`, { router: carrier, wan: `${access}.20` }),
    outside,
    subscriber(name, `${name}-carrier`, router),
  )
}

/** A home behind a carrier NAT; the slow link is the one from the home. */
function subscriber(name, carrier, router) {
  const { carrier: net, home: inside } = PLACES[name]
  const box = `${name}-router`
  return combine(
    routerBox(box, { router, wan: `${net}.20` }),
    {
      boxes: {},
      wires: [slow({ box: carrier, name: `to-${name}`, addresses: [`${net}.1/24`] }, wanOf(box, [`${net}.20/24`]))],
      routes: [defaultRoute(box, `${net}.1`)],
    },
    home(name, { box, net: inside }),
  )
}

function oneCarrier(kind) {
  const [carrier, router] = KINDS[kind].routers
  const { access } = PLACES.a
  return combine(
    routerBox('carrier', { router: carrier, wan: `${access}.20` }),
    {
      boxes: {},
      wires: [wire(toCore('carrier', access), wanOf('carrier', [`${access}.20/24`]))],
      routes: [defaultRoute('carrier', `${access}.1`)],
    },
    subscriber('a', 'carrier', router),
    subscriber('b', 'carrier', router),
  )
}

function oneHome(kind) {
  const { access, home: net } = PLACES.a
  const [router] = KINDS[kind].routers
  return combine(
    routerBox('router', { router, wan: `${access}.20` }),
    {
      boxes: {},
      wires: [
        slow(toCore('home', access), wanOf('router', [`${access}.20/24`])),
        wire({ box: 'lan', name: 'router' }, { box: 'router', name: 'lan', addresses: [`${net}.1/24`] }),
      ],
      routes: [defaultRoute('router', `${access}.1`), defaultRoute('a', `${net}.1`), defaultRoute('b', `${net}.1`)],
    },
    localNetwork(net),
  )
}

/** Two hosts on one switch, and nothing else: no router, no default route. Without `net` they have link-local IPv6 addresses alone. */
export function localNetwork(net = PLACES.a.home) {
  const addresses = (host) => (net === null ? [] : [`${net}.${host}/24`])
  const port = (name, host) => wire({ box: 'lan', name }, { box: name, name: 'eth0', addresses: addresses(host) })
  return { boxes: { lan: { bridge: true }, a: {}, b: {} }, wires: [port('a', 20), port('b', 30)], routes: [] }
}

/** Both hosts on one switch without a way out, and each with a way to the internet of its own, by `eth1`. */
export function localAndMobile() {
  const kinds = { a2: 'prc', b2: 'cone' }
  const ways = Object.entries(kinds).map(([name, kind]) => defaultRoute(hostAt(name).box, gatewayOf(name, kind)))
  const mobile = Object.entries(kinds).map(([name, kind]) => place(name, kind))
  return combine(internet(), localNetwork(), ...mobile, { boxes: {}, wires: [], routes: ways })
}

function home(name, { box, net, net6 }) {
  const also = (host) => (net6 === undefined ? [] : [`${net6}::${host}/64`])
  const host = hostAt(name)
  const routes = [defaultRoute(host.box, `${net}.1`), ...(net6 === undefined ? [] : [defaultRoute(host.box, `${net6}::1`)])]
  return {
    boxes: { [host.box]: {} },
    wires: [wire({ box, name: 'lan', addresses: [`${net}.1/24`, ...also(1)] }, { ...host, addresses: [`${net}.20/24`, ...also(20)] })],
    routes: isSecond(name) ? [] : routes,
  }
}

const routerBox = (box, { router, wan }) => ({
  boxes: { [box]: { forwards: true, rules: rulesOf(router, { wan }) } },
  wires: [],
  routes: [],
})

const wanOf = (box, addresses) => ({ box, name: 'wan', addresses })
const wire = (...ends) => ({ ends })
const slow = (...ends) => ({ ends, slow: true })
const defaultRoute = (box, via) => ({ box, to: 'default', via })
