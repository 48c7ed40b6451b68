// A check that cannot fail proves nothing: each is shown a good repository and a bad one.
import { describe, expect, it } from 'vitest'
import { architecture } from './architecture.mjs'
import { coreBundle } from './core-bundle.mjs'
import { coreLint } from './core-lint.mjs'
import { errors } from './errors.mjs'
import { fixture } from './fixtures.mjs'
import { imports } from './imports.mjs'
import { nativeBinaries } from './native-binaries.mjs'
import { biome, oxlint, packageBoundaries, testTypes } from './programs.mjs'
import { browserBundle } from './browser-bundle.mjs'
import { relayBundle } from './relay-bundle.mjs'
import { rules } from './rules.mjs'
import { sizes } from './sizes.mjs'
import { words } from './words.mjs'

const CORE = 'packages/core/src'

/** Runs a check on a fixture and returns its problems as one text. */
async function problems(check, files, { copied, args = [] } = {}) {
  using made = fixture(files, copied)
  return (await check(made.root, ...args)).join('\n')
}

describe('core-lint', () => {
  it.each([
    'Date.now()',
    'new Date()',
    'Math.random()',
    'setTimeout(f)',
    'setInterval(f)',
    'performance.now()',
    'console.log(1)',
    'process.exit()',
    'Buffer.from(a)',
  ])('finds %s', async (code) => {
    expect(await problems(coreLint, { [`${CORE}/a.ts`]: `const a = 1\nexport const b = ${code}\n` })).toContain(`${CORE}/a.ts:2 uses`)
  })

  it('lets comments, strings, tests and look-alikes pass', async () => {
    const files = {
      [`${CORE}/a.ts`]: "// Date.now()\nexport const a = 'Math.random' + new ArrayBuffer(1) + clock.process.x\n",
      [`${CORE}/a.test.ts`]: 'Date.now()\n',
      [`${CORE}/testing/contracts/a.ts`]: 'Date.now()\n',
    }
    expect(await problems(coreLint, files)).toBe('')
  })

  it('looks into templates', async () => {
    expect(await problems(coreLint, { [`${CORE}/a.ts`]: `export const a = \`\${Date.now()}\`\n` })).toContain('Date.now')
  })
})

describe('core-bundle', () => {
  const entry = `${CORE}/index.ts`
  const library = {
    'node_modules/left-pad/package.json': '{"name":"left-pad","main":"i.js"}',
    'node_modules/left-pad/i.js': 'export default 1',
  }

  it('accepts pure code', async () => expect(await problems(coreBundle, { [entry]: 'export const a = 1' })).toBe(''))

  it('finds Node.js', async () =>
    expect(await problems(coreBundle, { [entry]: "import { join } from 'node:path'\nexport const a = join('a')" })).toContain('node:path'))

  it('finds Node.js under its short name', async () =>
    expect(await problems(coreBundle, { [entry]: "export { join } from 'path'" })).toContain('cannot be bundled'))

  it('finds a package that is not allowed', async () => {
    expect(await problems(coreBundle, { ...library, [entry]: "export { default } from 'left-pad'" })).toContain('contains left-pad')
  })

  it('finds growth', async () => {
    expect(await problems(coreBundle, { [entry]: "export const a = 'abcdefghijkl'" }, { args: [{ budget: 10 }] })).toContain(
      'the budget is 10',
    )
  })

  it('finds that core is gone', async () => expect(await problems(coreBundle, {})).toContain('does not exist'))
})

describe('relay-bundle', () => {
  const relay = { 'apps/relay/src/main.ts': "import { s } from '@skein/node/swarm'\nconsole.log(s)" }

  it('accepts a relay on the swarm', async () =>
    expect(await problems(relayBundle, { ...relay, 'packages/node/src/swarm/index.ts': 'export const s = 1' })).toBe(''))

  it.each(['client', 'store'])('finds the %s behind the swarm', async (part) => {
    const files = {
      'packages/node/src/swarm/index.ts': `export { s } from '../${part}/a.ts'`,
      [`packages/node/src/${part}/a.ts`]: 'export const s = 1',
    }
    expect(await problems(relayBundle, { ...relay, ...files })).toContain(`packages/node/src/${part}/a.ts`)
  })

  it("finds a messenger's part that is loaded late, and not one that only a client would load", async () => {
    const late = (name) => `export const ${name} = () => import('../../../core/src/dispatch/${name}.ts')`
    const files = {
      'packages/node/src/swarm/index.ts': `${late('s')}\n${late('t')}`,
      'packages/core/src/dispatch/s.ts': 'export const s = 1',
      'packages/core/src/dispatch/t.ts': 'export const t = 1',
    }
    const found = await problems(relayBundle, { ...relay, ...files })
    expect([found.includes('dispatch/s.ts'), found.includes('dispatch/t.ts')]).toEqual([true, false])
  })

  it('lets the members with which it measures reach others, in a program of their own, and know of no messages', async () => {
    const peer = 'apps/relay/src/bench/bench-peer.ts'
    const swarm = { 'packages/node/src/swarm/index.ts': "export { s } from './libp2p-swarm.ts'" }
    const member = { ...swarm, 'packages/node/src/swarm/libp2p-swarm.ts': 'export const s = 1' }
    expect(await problems(relayBundle, { [peer]: relay['apps/relay/src/main.ts'], ...member })).toBe('')
    expect(await problems(relayBundle, { ...relay, ...member })).toContain('libp2p-swarm.ts')
    const messages = { 'packages/core/src/conversation/a.ts': 'console.log(1)' }
    const wrong = { [peer]: "import '../../../../packages/core/src/conversation/a.ts'", ...messages }
    expect(await problems(relayBundle, wrong)).toContain('conversation/a.ts')
  })

  it('finds another app', async () => {
    const files = { 'apps/relay/src/main.ts': "import '../../cli/src/main.ts'", 'apps/cli/src/main.ts': 'console.log(1)' }
    expect(await problems(relayBundle, files)).toContain('apps/cli/src/main.ts')
  })

  it('fails when the relay cannot be bundled', async () => expect(await problems(relayBundle, relay)).toContain('cannot be bundled'))
})

describe('browser-bundle', () => {
  const SRC = 'packages/node/src'
  const entry = { [`${SRC}/browser.ts`]: "export { a } from './a.ts'" }

  it('finds a module of Node.js that a page would load, also late', async () => {
    const found = await problems(browserBundle, {
      ...entry,
      [`${SRC}/a.ts`]: "export const a = import('./b.ts')",
      [`${SRC}/b.ts`]: "import 'node:os'",
    })
    expect(found).toContain(`${SRC}/b.ts imports node:os`)
  })

  it('leaves types, other packages, and what no page loads alone', async () => {
    const a = "import type { b } from './b.ts'\nimport 'some-package'\nexport const a: typeof b = 1"
    const files = { [`${SRC}/a.ts`]: a, [`${SRC}/b.ts`]: "import 'node:os'\nexport const b = 1", [`${SRC}/index.ts`]: "import 'node:fs'" }
    expect(await problems(browserBundle, { ...entry, ...files })).toBe('')
  })
})

describe('imports', () => {
  it.each([
    [`${CORE}/a.ts`, '@skein/node'],
    ['packages/node/src/a.ts', '@skein/cli'],
    ['packages/node/src/a.ts', '@skein/core/testing'],
    ['apps/cli/src/a.ts', '@skein/relay'],
    ['apps/relay/src/a.ts', '@skein/node'],
    ['apps/relay/src/a.ts', '@skein/node/api'],
  ])('%s may not import %s', async (file, from) => {
    expect(await problems(imports, { [file]: `import { a } from '${from}'\n` })).toContain('against the direction')
    expect(await problems(imports, { [file]: `import type { a } from '${from}'\n` })).toContain('against the direction')
    expect(await problems(imports, { [file]: `const a = await import('${from}')\n` })).toContain('against the direction')
  })

  it('lets the allowed directions pass', async () => {
    const files = {
      'packages/node/src/a.ts': "import { a } from '@skein/core'\n",
      'packages/node/src/a.test.ts': "import { a } from '@skein/core/testing'\n",
      'apps/relay/src/a.ts': "import {\n  a,\n} from '@skein/node/swarm'\n",
      'apps/cli/src/a.ts': "import { a } from '@skein/node/api'\n// import '@skein/relay'\n",
    }
    expect(await problems(imports, files)).toBe('')
  })

  it('finds an import that leaves the package', async () => {
    expect(await problems(imports, { 'apps/cli/src/a.ts': "import { a } from '../../relay/src/a.ts'\n" })).toContain('lies outside')
  })

  it('finds a cycle over three files', async () => {
    const files = {
      [`${CORE}/a.ts`]: "import { b } from './b.ts'\n",
      [`${CORE}/b.ts`]: "export * from './deep/c.ts'\n",
      [`${CORE}/deep/c.ts`]: "import {\n  type X,\n  a,\n} from '../a.ts'\n",
    }
    expect(await problems(imports, files)).toContain(`${CORE}/a.ts → ${CORE}/b.ts → ${CORE}/deep/c.ts → ${CORE}/a.ts is an import cycle`)
  })

  it('takes a cycle of types alone for none', async () => {
    expect(
      await problems(imports, { [`${CORE}/a.ts`]: "import type { B } from './b.ts'\n", [`${CORE}/b.ts`]: "import { a } from './a.ts'\n" }),
    ).toBe('')
  })
})

describe('rules', () => {
  const spec = { 'docs/spec/presence.md': '- **PR4** A silent peer is reaped.\n' }

  it('accepts a rule with its test', async () =>
    expect(await problems(rules, { ...spec, [`${CORE}/a.test.ts`]: "it('[PR4] reaps', f)" })).toBe(''))

  it('accepts the test of a contract suite, with several rules', async () => {
    const files = {
      'docs/spec/a.md': '**PR4** a **OB5** b **WF12** c',
      [`${CORE}/testing/contracts/a.ts`]: "it('[PR4, OB5] [WF12] reaps', f)",
    }
    expect(await problems(rules, files)).toBe('')
  })

  it('finds a rule without a test', async () => expect(await problems(rules, spec)).toContain('docs/spec/presence.md: no test'))

  it('finds a number that is given twice', async () => {
    const files = { 'docs/spec/a.md': '- **PR4** One thing.\n', 'docs/spec/b.md': '- **PR4** Another.\n' }
    expect(await problems(rules, { ...files, 'e2e/a.test.ts': "it('[PR4] reaps', f)" })).toContain('b.md: [PR4] is given to another')
  })

  it('finds a test of an unknown rule', async () => {
    expect(await problems(rules, { 'e2e/a.test.ts': "it('[PR4] reaps', f)" })).toContain('e2e/a.test.ts: a test names [PR4]')
  })
})

describe('architecture', () => {
  const document = (path) => ({
    'ARCHITECTURE.md': `| 1 | \`${path}\` | opens \`/skein/deliver/1\` by \`messages.send\` of \`@skein/core\` |\n`,
  })

  it('accepts paths that exist', async () =>
    expect(await problems(architecture, { ...document('tools/a.mjs'), 'tools/a.mjs': '' })).toBe(''))

  it.each(['tools/a.mjs', 'packages/core/src/main-path', 'missing.ts'])('finds that %s is gone', async (path) => {
    expect(await problems(architecture, document(path))).toContain(`names \`${path}\``)
  })
})

describe('errors', () => {
  const source = { [`${CORE}/errors/index.ts`]: "export const ERROR_CODES = [\n  'BAD_FRAME',\n  'USAGE',\n] as const\n" }

  it('accepts rows and headings', async () =>
    expect(await problems(errors, { ...source, 'docs/ERRORS.md': '## BAD_FRAME\n\n| `USAGE` | x |\n' })).toBe(''))

  it('finds codes that are not explained', async () => expect(await problems(errors, source)).toContain('does not explain USAGE'))

  it('finds codes that are gone', async () => {
    expect(await problems(errors, { ...source, 'docs/ERRORS.md': '| `BAD_FRAME` | x |\n| `USAGE` | x |\n| `GONE` | x |\n' })).toContain(
      'explains GONE',
    )
  })
})

describe('sizes', () => {
  it('finds a long file, unless it is generated', async () => {
    const long = 'a\n'.repeat(401)
    expect(
      await problems(sizes, { 'tools/a.mjs': long, 'tools/gen/b.ts': long, 'tools/c.gen.ts': long, 'tools/d.mjs': 'a\n'.repeat(400) }),
    ).toBe('tools/a.mjs has 401 lines; split it, at most 400 are allowed.')
  })

  it.each(['src/utils/a.ts', 'src/helpers.ts', 'src/common/a.ts', 'src/peer-manager.ts', 'src/string-utils.test.ts'])(
    'finds the name %s',
    async (file) => {
      expect(await problems(sizes, { [file]: '' })).toContain('named after nothing')
    },
  )
})

describe('words', () => {
  it.each([`/${'root'}/project`, `"/${'home'}/somebody/x"`, `https://${'registry'}.npmjs.org/a`])('finds %s', async (text) => {
    expect(await problems(words, { 'docs/a.md': `fine\n${text}\n` })).toContain('docs/a.md:2 names')
  })

  it('lets URLs and relative paths pass', async () =>
    expect(await problems(words, { 'docs/a.md': 'https://example.org/home/x src/root/a' })).toBe(''))
})

describe('native-binaries', () => {
  const systems = [
    ['linux', 'x64'],
    ['linux', 'arm64'],
    ['darwin', 'x64'],
    ['darwin', 'arm64'],
    ['win32', 'x64'],
  ]
  const lock = (platforms, resolution = '{integrity: x}') =>
    [
      'packages:',
      `  fast@1.0.0: {resolution: ${resolution}}`,
      ...platforms.map(([os, cpu, libc = 'glibc']) => `  fast-${os}-${cpu}@1.0.0: {os: [${os}], cpu: [${cpu}], libc: [${libc}]}`),
      'snapshots:',
      '  fast@1.0.0:',
      '    optionalDependencies:',
      ...platforms.map(([os, cpu]) => `      fast-${os}-${cpu}: 1.0.0`),
    ].join('\n')

  it('accepts a complete family', async () => expect(await problems(nativeBinaries, { 'pnpm-lock.yaml': lock(systems) })).toBe(''))

  it('finds a variant that was left out', async () => {
    expect(await problems(nativeBinaries, { 'pnpm-lock.yaml': lock(systems.slice(0, 4)) })).toContain(
      'fast@1.0.0 has no binary for win32-x64',
    )
  })

  it('takes a musl binary for no substitute', async () => {
    expect(await problems(nativeBinaries, { 'pnpm-lock.yaml': lock([['linux', 'x64', 'musl'], ...systems.slice(1)]) })).toContain(
      'for linux-x64',
    )
  })

  it.each([lock(systems, '{tarball: "https://example.org/a.tgz"}'), 'packages:\n  a@https://example.org/a.tgz: {}\n'])(
    'finds a download address (%#)',
    async (text) => {
      expect(await problems(nativeBinaries, { 'pnpm-lock.yaml': text })).toContain('download address')
    },
  )

  it('finds a missing prebuilt binary', async () => {
    const files = {
      'pnpm-lock.yaml': 'packages:\n  better-sqlite3@1.0.0: {}\n',
      'node_modules/.pnpm/better-sqlite3@1.0.0/node_modules/better-sqlite3/prebuilds/linux-x64.node': '',
    }
    const found = await problems(nativeBinaries, files)
    expect(found).toContain('no prebuilt binary for win32-x64')
    expect(found).not.toContain('linux-x64')
  })
})

describe('programs', () => {
  it('biome finds bad format and bad code', async () => {
    expect(await problems(biome, { 'a.ts': "export const a = 'b'\n" }, { copied: ['biome.json'] })).toBe('')
    expect(await problems(biome, { 'a.ts': 'export const a = "b";\n' }, { copied: ['biome.json'] })).toContain('a.ts')
    expect(await problems(biome, { 'a.ts': 'export const a: any = 1\n' }, { copied: ['biome.json'] })).toContain('noExplicitAny')
  })

  it('oxlint finds bad code', async () => {
    expect(await problems(oxlint, { 'a.ts': 'export const a = 1\n' }, { copied: ['.oxlintrc.json'] })).toBe('')
    expect(await problems(oxlint, { 'a.ts': 'export const a: any = 1\n' }, { copied: ['.oxlintrc.json'] })).toContain('no-explicit-any')
  })

  it('testTypes finds a wrong type in a test', async () => {
    const copied = ['tsconfig.tests.json', 'tsconfig.base.json', 'package.json']
    const types = { 'node_modules/@types/node/index.d.ts': 'declare const process: unknown\n' }
    expect(await problems(testTypes, { ...types, 'e2e/a.test.ts': 'export const a: number = 1\n' }, { copied })).toBe('')
    expect(await problems(testTypes, { ...types, 'e2e/a.test.ts': "export const a: number = 'b'\n" }, { copied })).toContain('TS2322')
  })

  it('packageBoundaries finds an import against the direction', async () => {
    const pack = (name, tag, dependencies = {}) => ({
      [`packages/${name}/package.json`]: JSON.stringify({
        name: `@skein/${name}`,
        version: '0.0.0',
        type: 'module',
        exports: './src/index.ts',
        dependencies,
      }),
      [`packages/${name}/turbo.json`]: JSON.stringify({ extends: ['//'], tags: [tag] }),
    })
    const files = {
      ...pack('core', 'core', { '@skein/node': 'workspace:*' }),
      ...pack('node', 'node'),
      'packages/node/src/index.ts': 'export const a = 1\n',
      'packages/core/src/index.ts': "export { a } from '@skein/node'\n",
    }
    const copied = ['turbo.json', 'package.json', 'pnpm-workspace.yaml']
    expect(await problems(packageBoundaries, files, { copied })).toContain('denylist')
    expect(
      await problems(packageBoundaries, { ...pack('node', 'node'), 'packages/node/src/index.ts': 'export const a = 1\n' }, { copied }),
    ).toBe('')
  })
})
