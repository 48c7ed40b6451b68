// Names the tests that passed on their second try only: on real processes each is a fault to look for, in the test or in
// what it tests. Never part of the verdict.

/** A vitest reporter. */
export default class SecondTries {
  #names = []

  onTestCaseResult(test) {
    if (test.ok() && test.diagnostic()?.flaky) this.#names.push(test.fullName)
  }

  onTestRunEnd() {
    for (const name of this.#names) console.log(`! Passed on the second try: ${name}`)
  }
}
