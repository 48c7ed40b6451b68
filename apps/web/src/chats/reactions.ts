/** Those that people use most. */
const USUAL: readonly string[] = ['👍', '❤️', '😂', '😮', '😢', '🙏']

/** What is offered beside a message: what another device or program has set can be taken back too. @param own the user's, if there is one */
export const reactionsFor = (own: string | null): readonly string[] => (own === null || USUAL.includes(own) ? USUAL : [...USUAL, own])
