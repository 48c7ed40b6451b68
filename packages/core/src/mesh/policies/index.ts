import { AdaptivePolicy } from './adaptive.ts'
import { directPolicy } from './direct.ts'
import { epidemicPolicy } from './epidemic.ts'
import type { CarryingPolicy } from './policy.ts'
import { ProphetPolicy } from './prophet.ts'
import { sprayAndWaitPolicy } from './spray-and-wait.ts'

export * from './adaptive.ts'
export * from './direct.ts'
export * from './epidemic.ts'
export type * from './policy.ts'
export * from './prophet.ts'
export * from './spray-and-wait.ts'

const POLICIES = {
  adaptive: (options: PolicyOptions) => new AdaptivePolicy(options),
  direct: () => directPolicy(),
  epidemic: () => epidemicPolicy(),
  prophet: () => new ProphetPolicy(),
  'spray-and-wait': ({ copies }: PolicyOptions) => sprayAndWaitPolicy(copies),
} as const

export type PolicyName = keyof typeof POLICIES
export const POLICY_NAMES = Object.keys(POLICIES) as readonly PolicyName[]

export interface PolicyOptions {
  /** For `spray-and-wait`. */
  readonly copies?: number | undefined
  /** For `adaptive`. */
  readonly leastClaims?: number | undefined
}

/** A fresh policy for one node. */
export function carryingPolicy(name: PolicyName, options: PolicyOptions = {}): CarryingPolicy {
  return POLICIES[name](options)
}
