/** What browsers call a key that a method of input has taken. */
const TAKEN = 229

/**
 * Whether a key belongs to the word that is being put together, in Japanese say: it confirms or leaves that, and no more. Safari has
 * ended the word by then, and tells by the code alone.
 */
export const isComposing = ({ isComposing: is, keyCode }: Pick<KeyboardEvent, 'isComposing' | 'keyCode'>): boolean =>
  is || keyCode === TAKEN
