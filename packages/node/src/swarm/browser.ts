/** The swarm in a browser. */
import { noblePrimitives } from '@skein/core'
import { getText } from './get-text.browser.ts'
import { Libp2pSwarm, type SwarmOptions } from './libp2p-swarm.ts'
import { createStack, disguised } from './stack.browser.ts'

/** Not started; nothing is opened yet. */
export function createSwarm(options: Omit<SwarmOptions, 'listen'>): Libp2pSwarm {
  return new Libp2pSwarm(
    { ...options, listen: { port: 0 } },
    { createStack, createDisguise: disguised, getText, primitives: noblePrimitives },
  )
}
