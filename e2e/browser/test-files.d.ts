/** Made while the page is bundled: the test files by path, each loaded when it is asked for. */
export type TestFile = () => Promise<unknown>
export const files: ReadonlyMap<string, TestFile>
