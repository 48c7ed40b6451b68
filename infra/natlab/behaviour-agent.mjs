// Runs inside a box for behaviour.mjs: sockets that do as they are told on stdin and tell on stdout what they receive, one
// JSON value a line. A «mirror» answers each datagram or connection with the address it came from.
//
// in:  {"open":NAME,"port":N,"host":H,"mirror":B}  {"send":NAME,"to":[host,port],"text":T}  {"tcp":ID,"from":port,"to":[host,port]}
//      {"punch":ID,"from":port,"to":[host,port]}  {"listen":[host,port]}
// out: {"opened":NAME,"port":N}  {"received":NAME,"from":[host,port],"text":T}  {"unreachable":NAME}
//      {"tcp":ID,"text":T | null}  {"punch":ID,"through":B}  {"listening":port}
import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'
import { createInterface } from 'node:readline'

/** Past the second SYN, which the kernel sends after one second: what is not through by then is blocked. */
const TCP_WITHIN_MS = 1_500
const PUNCH_WITHIN_MS = 1_500
const sockets = new Map()
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)

function open({ open: name, port = 0, host, mirror = false }) {
  const socket = createSocket(host?.includes(':') ? 'udp6' : 'udp4')
  socket.on('message', (text, { address, port: from }) => {
    if (mirror) return answer(socket, { text: String(text), address, from })
    say({ received: name, from: [address, from], text: String(text) })
  })
  // Unreachable is an answer here, not a failure.
  socket.on('error', () => undefined)
  socket.bind(port, host, () => {
    sockets.set(name, socket)
    say({ opened: name, port: socket.address().port })
  })
}

function send({ send: name, to: [host, port], text }) {
  sockets.get(name).send(text, port, host, (error) => {
    if (error?.code === 'ENETUNREACH') say({ unreachable: name })
  })
}

/** Text `who` is answered from the socket it came to; any other names the socket to answer from. */
function answer(socket, { text, address, from }) {
  const by = sockets.get(text) ?? socket
  by.send(JSON.stringify([address, from]), from, address)
}

function dial({ tcp: id, from, to: [host, port] }) {
  const done = (text) => {
    socket.destroy()
    say({ tcp: id, text })
  }
  const socket = connect({ host, port, ...(from === undefined ? {} : { localPort: from }), timeout: TCP_WITHIN_MS })
  socket.on('data', (data) => done(String(data)))
  socket.on('timeout', () => done(null))
  socket.on('error', () => done(null))
}

/** Simultaneous open: connects from a port to a port at which nobody listens; the other side does the same. */
function punch({ punch: id, from, to: [host, port] }) {
  const socket = connect({ host, port, localPort: from, timeout: PUNCH_WITHIN_MS })
  const done = (through) => {
    socket.destroy()
    say({ punch: id, through })
  }
  // Nothing may be closed before the other side is through as well.
  socket.on('connect', () => {
    socket.setTimeout(0)
    setTimeout(done, PUNCH_WITHIN_MS, true)
  })
  socket.on('timeout', () => done(false))
  socket.on('error', () => done(false))
}

function listen([host, port]) {
  const server = createServer((socket) => socket.end(JSON.stringify([socket.remoteAddress, socket.remotePort])))
  server.listen(port, host, () => say({ listening: port }))
}

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line)
  if (order.open !== undefined) open(order)
  if (order.send !== undefined) send(order)
  if (order.tcp !== undefined) dial(order)
  if (order.punch !== undefined) punch(order)
  if (order.listen !== undefined) listen(order.listen)
}
process.exit(0)
