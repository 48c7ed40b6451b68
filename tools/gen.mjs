// Regenerates what is generated and committed: protobuf codecs, and the database migrations as a module that any
// platform can bundle. A change of a schema.ts needs `drizzle-kit generate` in packages/node first (with
// `--config drizzle.mesh.config.ts` for the mesh).
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

function codecs() {
  const core = join(root, 'packages', 'core')
  const done = spawnSync(join(root, 'node_modules', '.bin', 'buf'), ['generate'], {
    cwd: core,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (done.status !== 0) process.exit(done.status ?? 1)
  const folder = join(core, 'src', 'wire', 'gen')
  for (const name of readdirSync(folder)) {
    const file = join(folder, name)
    writeFileSync(file, stricter(readFileSync(file, 'utf8')))
  }
}

/** What the generator writes into every decoder, and what stands there instead. */
const CHANGES = [
  // It would end a message in silence at a stray end of a group and at field 0, and take what follows for its parent's.
  [/if \(\(tag & 7\) === 4 \|\| tag === 0\) \{\s+break;\s+\}/g, 'if (tag < 8) throw new RangeError("a message has no field 0");'],
  // It counts how deep messages nest; ours cannot contain themselves, so the schema bounds that.
  [/const previousRecursionDepth = [\s\S]*?\n {4}try \{/g, '{'],
  [/return message;\s+\} finally \{[^}]*\}/g, 'return message;\n    }'],
]

function stricter(source) {
  const decoders = source.match(/^ {2}decode\(.*\{$/gm).length
  const changed = CHANGES.reduce((text, [pattern, instead]) => {
    const found = text.match(pattern)?.length ?? 0
    if (found !== decoders) throw new Error(`the generator writes other decoders than it did: ${pattern}`)
    return text.replace(pattern, instead)
  }, source)
  const short = shorter(changed)
  if (short.includes(' any)')) throw new Error('the generated code is not typed throughout')
  const used = new Set(short.match(/NOTHING|put[A-Z]\w+(?=\()|longToNumber(?=\()/g)).values().toArray().toSorted()
  return used.length === 0 ? short : short.replace(/^import .*\n/m, (line) => `${line}import { ${used.join(', ')} } from "../fields.ts";\n`)
}

const field = (isSet, write) =>
  new RegExp(`if \\(message\\.(\\w+)${isSet}\\) \\{\\s+writer\\.uint32\\((\\d+)\\)\\.${write}\\(message\\.\\1\\);\\s+\\}`, 'g')
/** What the generator writes for one field in each encoder, and what src/wire/fields.ts does in its place. */
const PUTS = [
  [field('\\.length !== 0', 'bytes'), 'putBytes(writer, $2, message.$1);'],
  [field(' !== ""', 'string'), 'putText(writer, $2, message.$1);'],
  [field(' !== 0', 'uint32'), 'putNumber(writer, $2, message.$1);'],
  [field(' !== 0', 'uint64'), 'putLong(writer, $2, message.$1);'],
  [field(' !== false', 'bool'), 'putFlag(writer, $2, message.$1);'],
  [
    /if \(message\.(\w+) !== undefined\) \{\s+(\w+)\.encode\(message\.\1, writer\.uint32\((\d+)\)\.fork\(\)\)\.join\(\);\s+\}/g,
    'putMessage(writer, $3, $2, message.$1);',
  ],
  [
    /for \(const v of message\.(\w+)\) \{\s+(\w+)\.encode\(v!, writer\.uint32\((\d+)\)\.fork\(\)\)\.join\(\);\s+\}/g,
    'putEach(writer, $3, $2, message.$1);',
  ],
  [
    /(\w+)\.encode\(message\.(\w+)\.value, writer\.uint32\((\d+)\)\.fork\(\)\)\.join\(\);/g,
    'putMessage(writer, $3, $1, message.$2.value);',
  ],
]

/** Pages load the decoders of everything: fields are told by their whole tags at once, instead of by their numbers first. */
function shorter(source) {
  const short = PUTS.reduce((text, [pattern, instead]) => text.replace(pattern, instead), source)
    .replace(/case \d+: \{\s+if \(tag !== (\d+)\) \{\s+break;\s+\}\s+/g, 'case $1: {\n            ')
    // A list of numbers comes as one field or as many.
    .replace(/case \d+: \{(\s+if \(tag === (\d+)\) \{[^}]+\}\s+if \(tag === (\d+)\))/g, 'case $2:\n          case $3: {$1')
    .replaceAll('switch (tag >>> 3)', 'switch (tag)')
    .replaceAll('new Uint8Array(0)', 'NOTHING')
    .replace(/function longToNumber[\s\S]*?\n\}\n\n/, '')
    // Whoever calls them has a reader or a writer.
    .replace(/decode\(input: BinaryReader \| Uint8Array, (.*)\n {4}const reader = input.*\n/g, 'decode(reader: BinaryReader, $1\n')
    .replace('decode(input: BinaryReader | Uint8Array, ', 'decode(reader: BinaryReader, ')
    .replaceAll('writer: BinaryWriter = new BinaryWriter()', 'writer: BinaryWriter')
    .replace('writer?: BinaryWriter', 'writer: BinaryWriter')
  if (/tag !== |tag >>>/.test(short)) throw new Error('the generator writes other decoders than it did: fields are told otherwise')
  return short
}

/** @param part folder of packages/node/src with a schema @param name of the constant */
function migrations(part, name) {
  const folder = join(root, 'packages', 'node', 'src', part, 'migrations')
  const { entries } = JSON.parse(readFileSync(join(folder, 'meta', '_journal.json'), 'utf8'))
  const list = entries.map(({ tag, when, breakpoints }) => {
    const query = readFileSync(join(folder, `${tag}.sql`), 'utf8')
    const statements = query.split('--> statement-breakpoint')
    return { sql: statements, bps: breakpoints, folderMillis: when, hash: createHash('sha256').update(query).digest('hex') }
  })
  const head =
    "/** Generated by tools/gen.mjs from migrations/: do not edit. */\nimport type { MigrationMeta } from 'drizzle-orm/migrator'\n\n"
  writeFileSync(
    join(folder, '..', 'migrations.gen.ts'),
    `${head}export const ${name}: MigrationMeta[] = ${JSON.stringify(list, null, 2)}\n`,
  )
}

codecs()
migrations('store', 'MIGRATIONS')
migrations('mesh', 'MESH_MIGRATIONS')
