// A relay and two clients in network namespaces of their own, where the two reach the relay and not each other; later by UDP
// alone. Linux, as root; elsewhere there is none.
import { execFileSync } from 'node:child_process'

/** Of the block for benchmarks (RFC 2544), which nobody else routes. */
const RELAY = '198.18.0.1'
const SIDES = { left: 1, right: 2 }

const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })

/** `undefined` where namespaces cannot be made. */
export function startRoutes() {
  const name = (side) => `skein-bench-${process.pid}-${side}`
  const made = []
  const end = () => {
    for (const each of made.splice(0)) ip('netns', 'delete', each)
  }
  try {
    for (const side of ['relay', ...Object.keys(SIDES)]) {
      ip('netns', 'add', name(side))
      made.push(name(side))
      ip('-n', name(side), 'link', 'set', 'lo', 'up')
    }
    ip('-n', name('relay'), 'address', 'add', `${RELAY}/32`, 'dev', 'lo')
    for (const [side, net] of Object.entries(SIDES)) connect(name('relay'), name(side), { side, net })
  } catch {
    end()
    return undefined
  }
  return { relay: RELAY, within: name, allowUdp: () => allowUdp(name('relay')), end }
}

function connect(relay, client, { side, net }) {
  ip('-n', relay, 'link', 'add', 'name', side, 'type', 'veth', 'peer', 'name', 'out', 'netns', client)
  ip('-n', relay, 'address', 'add', `198.18.${net}.1/24`, 'dev', side)
  ip('-n', relay, 'link', 'set', 'dev', side, 'up')
  ip('-n', client, 'address', 'add', `198.18.${net}.2/24`, 'dev', 'out')
  ip('-n', client, 'link', 'set', 'dev', 'out', 'up')
  ip('-n', client, 'route', 'add', 'default', 'via', `198.18.${net}.1`)
}

/** From here on the two reach each other, but not by TCP. @throws Error where there is no nft */
function allowUdp(relay) {
  const inside = (...args) => ip('netns', 'exec', relay, ...args)
  inside('nft', 'add', 'table', 'ip', 'bench')
  inside('nft', 'add', 'chain', 'ip', 'bench', 'between', '{ type filter hook forward priority 0; policy accept; }')
  inside('nft', 'add', 'rule', 'ip', 'bench', 'between', 'meta', 'l4proto', 'tcp', 'drop')
  inside('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward')
}
