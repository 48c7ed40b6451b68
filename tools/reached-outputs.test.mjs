import { describe, expect, it } from 'vitest'
import { inputsOf, reachedOutputs } from './reached-outputs.mjs'

const used = (...files) => Object.fromEntries(files.map((file) => [file, { bytesInOutput: 1 }]))
const OUTPUTS = {
  'main.js': {
    entryPoint: 'src/main.ts',
    imports: [
      { path: 'shared.js', kind: 'import-statement' },
      { path: 'late.js', kind: 'dynamic-import' },
      { path: 'node:fs', kind: 'import-statement', external: true },
    ],
    inputs: { ...used('src/main.ts'), 'src/shaken.ts': { bytesInOutput: 0 } },
  },
  'late.js': { entryPoint: 'src/late.ts', imports: [{ path: 'shared.js', kind: 'import-statement' }], inputs: used('src/late.ts') },
  'shared.js': { imports: [], inputs: used('src/shared.ts') },
  'forgotten.js': { entryPoint: 'src/forgotten.ts', imports: [{ path: 'main.js' }], inputs: used('src/forgotten.ts') },
}

describe('what an entry of a bundle can load', () => {
  it('goes over its imports, also late ones, and not over what nothing imports', () => {
    const reached = reachedOutputs(OUTPUTS, (entry) => entry === 'src/main.ts')
    expect([...reached].sort()).toEqual(['late.js', 'main.js', 'shared.js'])
    expect([...inputsOf(OUTPUTS, reached)].sort()).toEqual(['src/late.ts', 'src/main.ts', 'src/shared.ts'])
  })
})
