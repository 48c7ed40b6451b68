import { compressionContract } from '@skein/core/contracts'
import { nativeCompression } from './compression.ts'

compressionContract('node:zlib', nativeCompression)
