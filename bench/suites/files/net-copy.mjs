// A bare copy over node:net between two processes, file to file, hashed with SHA-256 at both ends: what Node.js can do.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, fsyncSync, openSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const SELF = fileURLToPath(import.meta.url)
const PIECE_BYTES = 1_048_576

/** @returns seconds from the start of the sender's work until the recipient has it on its disk */
export async function netCopy(from, to) {
  const receiver = await child('receive', to)
  const sender = await child('send', from, receiver.said.port)
  const began = performance.now()
  sender.process.stdin.end('go\n')
  const [sent, received] = await Promise.all([sender.next(), receiver.next()])
  const seconds = (performance.now() - began) / 1_000
  if (sent.sha256 !== received.sha256) throw new Error('the copy is another')
  return seconds
}

async function child(...args) {
  const started = spawn(process.execPath, [SELF, ...args.map(String)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: started.stdout })[Symbol.asyncIterator]()
  const next = async () => JSON.parse((await lines.next()).value)
  return { process: started, said: await next(), next }
}

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`)

async function receive(path) {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  say({ port: server.address().port })
  const socket = await new Promise((resolve) => server.once('connection', resolve))
  const hash = createHash('sha256')
  const fd = openSync(path, 'w')
  const file = createWriteStream(path, { fd, autoClose: false, highWaterMark: 4 * PIECE_BYTES })
  for await (const piece of socket) {
    hash.update(piece)
    if (!file.write(piece)) await new Promise((resolve) => file.once('drain', resolve))
  }
  await new Promise((resolve) => file.end(resolve))
  fsyncSync(fd)
  say({ sha256: hash.digest('hex') })
  server.close()
}

async function send(path, port) {
  say({ ready: true })
  await new Promise((resolve) => process.stdin.once('data', resolve))
  const socket = connect(Number(port), '127.0.0.1')
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: PIECE_BYTES })) {
    hash.update(piece)
    if (!socket.write(piece)) await new Promise((resolve) => socket.once('drain', resolve))
  }
  socket.end()
  say({ sha256: hash.digest('hex') })
  process.stdin.destroy()
}

const [role, ...rest] = process.argv[1] === SELF ? process.argv.slice(2) : []
if (role === 'receive') await receive(...rest)
if (role === 'send') await send(...rest)
