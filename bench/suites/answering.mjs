// The side of a bench process: it does what it is told over IPC (`peer-process.mjs`), and ends with who has started it.

/** @param verbs by name, functions of one object of arguments; what they return is sent back */
export function answer(verbs) {
  process.on('message', async ({ id, verb, args }) => {
    try {
      process.send({ id, result: (await verbs[verb](args)) ?? {} })
    } catch (error) {
      process.send({ id, error: String(error?.stack ?? error) })
    }
  })
  process.on('disconnect', () => process.exit(0))
}
