/** How a NAT chooses outside ports, from what two STUN servers saw of one socket (RFC 5780 §4.3). */
import { MAX_PORT_STEP, type PortMapping } from '@skein/core'

/** @param first outside port for the first destination @param second for the next one */
export function mappingOf(first: number, second: number): { readonly mapping: PortMapping; readonly step: number } {
  const step = second - first
  if (step === 0) return { mapping: 'same', step: 0 }
  return Math.abs(step) <= MAX_PORT_STEP ? { mapping: 'sequential', step } : { mapping: 'random', step: 0 }
}
