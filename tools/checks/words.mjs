// What is true on one machine only does not belong into the repository: absolute paths of somebody's disk, and the
// registry somebody happens to install from.
import { filesUnder, read } from './files.mjs'

const BANS = [
  [/(?<![\w.$}])\/(?:root|home|Users|work)\//, 'an absolute path of one machine'],
  [/\bregistry\.(?:npmjs|yarnpkg|npmmirror)\b/, 'the host of a package registry'],
]

/** @returns {string[]} problems */
export function words(root) {
  return filesUnder(root).flatMap((file) => {
    const text = read(root, file)
    if (text.includes('\0')) return []
    return text
      .split('\n')
      .flatMap((line, at) => BANS.filter(([pattern]) => pattern.test(line)).map(([, what]) => `${file}:${at + 1} names ${what}.`))
  })
}
