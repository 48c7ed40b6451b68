// Of a bundle in pieces, those that its entry can load. esbuild makes a piece of every dynamic import that it reads, also where
// nothing is left of the code that would load it.

/**
 * @param {import('esbuild').Metafile['outputs']} outputs
 * @param {(entryPoint: string) => boolean} isEntry
 * @returns {Set<string>} names of outputs
 */
export function reachedOutputs(outputs, isEntry) {
  const reached = new Set()
  const waiting = Object.keys(outputs).filter((name) => outputs[name].entryPoint !== undefined && isEntry(outputs[name].entryPoint))
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (reached.has(name)) continue
    reached.add(name)
    waiting.push(...outputs[name].imports.filter(({ external }) => external !== true).map(({ path }) => path))
  }
  return reached
}

/**
 * @param {import('esbuild').Metafile['outputs']} outputs
 * @param {Iterable<string>} names
 * @returns {Set<string>} source files of which something is in these outputs
 */
export function inputsOf(outputs, names) {
  const used = [...names].flatMap((name) => Object.entries(outputs[name].inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0))
  return new Set(used.map(([file]) => file))
}
