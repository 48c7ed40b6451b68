import { bundleArchiveContract } from './contracts/bundle-archive.ts'
import { MemoryArchive } from './mesh-lab.ts'

bundleArchiveContract('memory', async () => {
  const archive = new MemoryArchive()
  return { archive, reopen: async () => archive, end: async () => undefined }
})
