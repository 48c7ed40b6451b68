// A home router that opens ports when it is asked, by a real one's server (miniupnpd), in front of two hosts that could not
// reach each other otherwise: both sit behind random ports.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { Conversation } from './conversation.mjs'
import { Laboratory } from './laboratory.mjs'
import { inside } from './network.mjs'
import { planPair } from './plan.mjs'
import { eventually } from './programs.mjs'
import { found, PATH } from './sandbox.mjs'
import { CALM_MS } from './scenario.mjs'
import { setTimeout as sleep } from 'node:timers/promises'

const ROUTER = 'a-router'
const MAPPED_WITHIN_MS = 30_000

/** What lets the server in, and its ports through; the rest of the router stays as it is. */
const RULES = `add rule inet filter input iifname "lan" udp dport { 1900, 5351 } accept
add rule inet filter input iifname "lan" tcp dport 5000 accept
add rule inet filter forward ct status dnat accept
table inet opened {
  chain forward { type filter hook forward priority 0; policy accept; jump asked; }
  chain asked { }
  chain prerouting { type nat hook prerouting priority -100; jump asked_in; }
  chain asked_in { }
  chain postrouting { type nat hook postrouting priority 90; jump asked_out; }
  chain asked_out { }
}
`

const settings = ({ pcp, upnp }) => `ext_ifname=wan
listening_ip=lan
http_port=5000
enable_natpmp=${pcp ? 'yes' : 'no'}
enable_upnp=${upnp ? 'yes' : 'no'}
secure_mode=yes
uuid=7a1f2c34-0000-4000-8000-0123456789ab
upnp_table_name=opened
upnp_nat_table_name=opened
upnp_forward_chain=asked
upnp_nat_chain=asked_in
upnp_nat_postrouting_chain=asked_out
allow 1024-65535 192.168.0.0/16 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
`

/** By the protocols that the router speaks. */
const ROUTERS = { pcp: { pcp: true, upnp: false }, upnp: { pcp: false, upnp: true } }

/** For each: by what the port was opened, the path both sides see, and whether the port was given back at the end. */
export async function portMapping({ scenario, ...options }) {
  if (!found('miniupnpd')) throw new Error('the program «miniupnpd» is missing; install the package miniupnpd-nftables')
  const pcp = await oneRouter('pcp', options)
  const upnp = await oneRouter('upnp', options)
  return { scenario, ...added(pcp.counts, upnp.counts), routers: [pcp.router, upnp.router] }
}

async function oneRouter(speaks, options) {
  let server
  const lab = await Laboratory.open(planPair('sym', 'sym'), options)
  try {
    lab.network.setRules(ROUTER, RULES)
    server = await startServer(ROUTERS[speaks])
    await lab.befriend()
    const opened = await openedBy(lab)
    const counts = await talked(lab)
    const { path } = await lab.a.way(lab.b)
    const direct = !(await lab.carriesBetween(lab.a, lab.b, options.random))
    await lab.a.end()
    const rules = lab.network.run(ROUTER, ['nft', 'list', 'chain', 'inet', 'opened', 'asked_in'])
    return { counts, router: { speaks, ...opened, path, direct, given_back: !rules.includes('dnat') } }
  } finally {
    await server?.stop()
    await lab.close()
  }
}

/** When both see a path through the port. */
async function openedBy({ a, b }) {
  await eventually(
    'the path is a mapped one',
    async () => (await b.way(a)).path === 'mapped' && (await a.way(b)).path === 'mapped',
    MAPPED_WITHIN_MS,
  )
  const { nat } = await a.ask(['doctor'])
  return { by: nat.port_mapping.by, address: nat.port_mapping.address }
}

async function talked(lab) {
  const conversation = new Conversation(lab)
  await conversation.start()
  await sleep(CALM_MS)
  return conversation.finish()
}

const added = (one, other) => ({
  sent: one.sent + other.sent,
  delivered: one.delivered + other.delivered,
  lost: one.lost + other.lost,
  doubled: one.doubled + other.doubled,
  longest_gap_ms: Math.max(one.longest_gap_ms, other.longest_gap_ms),
})

async function startServer(ways) {
  const file = '/run/natlab/miniupnpd.conf'
  writeFileSync(file, settings(ways))
  const [program, ...args] = [...inside(ROUTER), 'miniupnpd', '-d', '-f', file]
  const server = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH } })
  const ended = once(server, 'exit').then(() => {
    throw new Error('miniupnpd has ended')
  })
  ended.catch(() => undefined)
  // It says what it listens on; nothing tells when it is done.
  await Promise.race([once(server.stderr, 'data'), once(server.stdout, 'data'), ended])
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (part) => process.env.NATLAB_LOG && process.stderr.write(part))
  const stop = async () => {
    server.kill('SIGTERM')
    await ended.catch(() => undefined)
  }
  return { stop }
}
