// Main script of the single executable: lays the program out in the user's cache once, then runs it from there.
const { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } = require('node:fs')
const { homedir } = require('node:os')
const { dirname, join, sep } = require('node:path')
const { pathToFileURL } = require('node:url')
const sea = require('node:sea')
const vm = require('node:vm')

function cacheFolder() {
  if (process.platform === 'win32') return join(process.env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'Skein', 'program')
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'skein')
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'skein')
}

/** Whole or not at all: another start may do the same, and this one may be killed. */
function layOut(folder) {
  if (existsSync(folder)) return
  const partial = `${folder}.${process.pid}`
  for (const name of sea.getAssetKeys()) {
    const file = join(partial, ...name.split('/'))
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(file, new Uint8Array(sea.getRawAsset(name)))
  }
  try {
    renameSync(partial, folder)
  } catch (error) {
    rmSync(partial, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
}

const folder = join(cacheFolder(), sea.getAsset('id', 'utf8'))
layOut(folder)
// The program starts parts of itself with what it believes to be Node.js.
const [, , first = ''] = process.argv
const isPart = first.startsWith(folder + sep)
process.argv.splice(1, isPart ? 2 : 1, isPart ? first : join(folder, 'bundle', 'main.js'))
// The loader's experimental state is nothing to tell a user about.
process.removeAllListeners('warning')
const load = `import(${JSON.stringify(pathToFileURL(process.argv[1]).href)})`
new vm.Script(load, { importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER }).runInThisContext()
