import { join } from 'node:path'
import type { NextConfig } from 'next'

const ROOT = join(import.meta.dirname, '..', '..')

const config: NextConfig = {
  output: 'export',
  reactStrictMode: true,
  poweredByHeader: false,
  devIndicators: false,
  // There is one page, and no other router beside it that a path could belong to: the code that tells them apart is left out.
  experimental: { clientRouterFilter: false },
  // Types are checked by the build script, with the settings of the repository.
  typescript: { ignoreBuildErrors: true },
  turbopack: {
    root: ROOT,
    resolveAlias: {
      // The stand-ins of tools/browser-bundle.mjs; each says why.
      'multiformats/hashes/sha2': '../../packages/node/dist/swarm/sha2.browser.js',
      '@noble/curves/secp256k1.js': '../../packages/node/dist/swarm/secp256k1.browser.js',
    },
  },
}

export default config
