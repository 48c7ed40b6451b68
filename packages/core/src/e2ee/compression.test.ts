import { compressionContract } from '../testing/contracts/compression.ts'
import { fflateCompression } from './compression.ts'

compressionContract('fflate', fflateCompression)
