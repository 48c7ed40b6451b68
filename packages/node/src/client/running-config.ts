/** The configuration of a client that runs: what is set meanwhile, and counts at once or from the next start. */
import { resolve } from 'node:path'
import type { ConfigChange } from './assemble.ts'
import { defaultDataDir, type LoadedConfig, type Origin, saveConfig } from './config.ts'

/** Where what is accepted goes; see NodeFiles. */
interface Folder {
  defaultFolder(): string
  receiveInto(folder: string): void
}

export interface RunningConfigOptions extends LoadedConfig {
  readonly dataDir: string
  readonly folder: Folder
}

export class RunningConfig {
  private readonly options: RunningConfigOptions
  private origins: LoadedConfig['origins']

  constructor(options: RunningConfigOptions) {
    this.options = options
    this.origins = options.origins
    options.folder.receiveInto(options.config.filesFolder)
  }

  /** What counts now, and from where. */
  describe(): Record<string, { value: unknown; origin: string }> {
    const { config, dataDir, folder } = this.options
    const now = Object.entries({ ...config, filesFolder: folder.defaultFolder() })
    const settings = now.map(([key, value]) => [key, { value, origin: this.origins[key as keyof typeof config] }] as const)
    return { ...Object.fromEntries(settings), data_dir: { value: resolve(dataDir), origin: dataDirOrigin(dataDir) } }
  }

  /** @throws SkeinError CONFIG_INVALID @returns whether all of it counts already */
  async change(change: ConfigChange): Promise<boolean> {
    saveConfig({ dataDir: this.options.dataDir, origins: this.origins }, change)
    if (change.filesFolder !== undefined) {
      this.options.folder.receiveInto(change.filesFolder)
      this.origins = { ...this.origins, filesFolder: 'file' }
    }
    return Object.keys(change).every((key) => key === 'filesFolder')
  }
}

function dataDirOrigin(dataDir: string): Origin {
  if (resolve(dataDir) !== defaultDataDir(process.env)) return 'flag'
  return process.env['SKEIN_DATA_DIR'] ? 'environment' : 'default'
}
