// Every package with native binaries must be locked for every platform we promise. Package managers silently leave a
// variant out of the lockfile when the registry lacks it, and somebody's first start fails then. Nor may the lockfile
// hold a download address: it would tie everybody to one registry.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { read } from './files.mjs'

const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64']

/** Families that need not cover every platform, with the reason. */
const EXCEPTIONS = new Map([
  ['fsevents', 'exists for macOS only; file watching works without it elsewhere'],
  ['@chainsafe/libp2p-quic-linux-x64-gnu', 'a relay without QUIC serves everybody by its other ports'],
])

/** Packages that carry the binaries of all platforms inside themselves, as `prebuilds/<platform>.node`. */
const CARRIES_PREBUILDS = ['better-sqlite3']

/** @returns {string[]} problems */
export function nativeBinaries(root) {
  const lock = parse(read(root, 'pnpm-lock.yaml'))
  return [...downloadAddresses(lock), ...missingVariants(lock), ...missingPrebuilds(root, lock)]
}

function downloadAddresses(lock) {
  const entries = Object.entries(lock.packages ?? {})
  const addressed = entries.filter(
    ([name, { resolution = {} }]) => name.includes('://') || resolution.tarball !== undefined || resolution.repo !== undefined,
  )
  return addressed.map(([name]) => `pnpm-lock.yaml: ${name} is locked to a download address; lock it by integrity only.`)
}

function missingVariants(lock) {
  return Object.entries(lock.snapshots ?? {}).flatMap(([parent, { optionalDependencies = {} }]) => {
    const variants = Object.entries(optionalDependencies).flatMap(([name, version]) => variantOf(lock, name, version))
    if (variants.length === 0) return []
    const covered = new Set(variants.flatMap(platformsOf))
    const missing = PLATFORMS.filter((platform) => !covered.has(platform))
    return missing.map(
      (platform) => `pnpm-lock.yaml: ${parent} has no binary for ${platform}; choose a version that is published for every platform.`,
    )
  })
}

function variantOf(lock, name, version) {
  const entry = lock.packages[`${name}@${String(version).replace(/\(.*$/, '')}`]
  const isVariant = entry?.os !== undefined || entry?.cpu !== undefined
  return isVariant && !EXCEPTIONS.has(name) ? [entry] : []
}

function platformsOf({ os = ['linux', 'darwin', 'win32'], cpu = ['x64', 'arm64'], libc = ['glibc'] }) {
  if (!libc.includes('glibc')) return []
  return os.flatMap((system) => cpu.map((processor) => `${system}-${processor}`))
}

function missingPrebuilds(root, lock) {
  const store = join(root, 'node_modules', '.pnpm')
  return CARRIES_PREBUILDS.flatMap((name) => {
    const locked = Object.keys(lock.packages ?? {}).filter((key) => key.startsWith(`${name}@`))
    return locked.flatMap((key) => {
      const folder = join(store, key, 'node_modules', name, 'prebuilds')
      const found = existsSync(folder) ? readdirSync(folder) : []
      return PLATFORMS.filter((platform) => !found.includes(`${platform}.node`)).map(
        (platform) => `${key} carries no prebuilt binary for ${platform}.`,
      )
    })
  })
}
