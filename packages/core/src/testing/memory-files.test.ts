import { filePlatformContract } from './contracts/file-platform.ts'
import { MemoryFiles } from './memory-files.ts'

filePlatformContract('memory', async () => {
  const disk = new MemoryFiles()
  return {
    platform: disk,
    folder: 'in',
    put: async (name, bytes) => {
      disk.files.set(name, bytes)
      return name
    },
    get: async (name) => disk.files.get(`in/${name}`),
    restart: async () => disk,
    end: async () => undefined,
  }
})
