// A client of ours in a process of its own, driven over IPC.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** @param program beside this file */
export function peer(program = 'peer.mjs') {
  const child = fork(fileURLToPath(new URL(program, import.meta.url)), {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const waiting = new Map()
  let next = 0
  child.on('message', ({ id, result, error }) => {
    const { resolve, reject } = waiting.get(id)
    waiting.delete(id)
    if (error) reject(new Error(error))
    else resolve(result)
  })
  child.on('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('a bench process ended'))
  })
  const call = (verb, args = {}) =>
    new Promise((resolve, reject) => {
      waiting.set(++next, { resolve, reject })
      child.send({ id: next, verb, args })
    })
  return { call, end: () => child.disconnect() }
}
