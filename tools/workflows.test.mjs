// The workflows of public CI are what GitHub takes, by its own parser, and run nothing that this repository has not.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { NoOperationTraceWriter, parseWorkflow } from '@actions/workflow-parser'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

const root = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))
const FOLDER = '.github/workflows'
const { scripts } = JSON.parse(readFileSync(root('package.json'), 'utf8'))

function complaints(name, content) {
  const { context } = parseWorkflow({ name, content }, new NoOperationTraceWriter())
  return context.errors.getErrors().map(({ message }) => message)
}

it('the parser complains of a workflow that is wrong', () => {
  const wrong = 'on: push\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    step: [{ run: "true" }]\n'
  expect(complaints('wrong.yml', wrong)).not.toEqual([])
})

describe.each(readdirSync(root(FOLDER)))('%s', (file) => {
  const content = readFileSync(root(`${FOLDER}/${file}`), 'utf8')
  const workflow = parse(content)
  const jobs = Object.values(workflow.jobs)
  const steps = jobs.flatMap((job) => job.steps)
  const commands = steps.flatMap(({ run }) => run ?? [])

  it('is taken by the parser of GitHub', () => {
    expect(complaints(file, content)).toEqual([])
  })

  it('may only read, ends by itself, and takes actions by their content', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' })
    expect(jobs.filter((job) => !(job['timeout-minutes'] <= 60))).toEqual([])
    const actions = steps.flatMap(({ uses }) => uses ?? [])
    expect(actions.length).toBeGreaterThan(0)
    expect(actions.filter((each) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/.test(each))).toEqual([])
  })

  it('runs scripts and names files that are there', () => {
    const called = commands.flatMap((each) => [...each.matchAll(/\bnpm (?:run )?(?:--\S+ )*([\w:-]+)/g)].map(([, name]) => name))
    expect(called.filter((name) => !(name in scripts))).toEqual([])
    const named = commands.flatMap((each) => each.match(/(?<![\w/-])(?:infra|e2e|apps|packages|tools)\/[\w./-]+/g) ?? [])
    const missing = named.filter((name) => ![name, `${name}.test.ts`, `${name}.long.test.ts`].some((each) => existsSync(root(each))))
    expect(missing).toEqual([])
  })
})
