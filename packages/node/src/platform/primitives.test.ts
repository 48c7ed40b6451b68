import { noblePrimitives } from '@skein/core'
import { primitivesContract } from '@skein/core/contracts'
import { nativePrimitives } from './primitives.ts'

primitivesContract('node:crypto', nativePrimitives, noblePrimitives)
primitivesContract('noble', noblePrimitives, nativePrimitives)
